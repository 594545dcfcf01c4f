"""The site key in JSON, for REST and the command."""

from keyadmin.kernel import clock
from keyadmin.sitekey.models import SiteKey
from keyadmin.sitekey.queries import State
from keyadmin.sitekey.services import WARNING, Issued


def site_key_fields(key: SiteKey) -> dict[str, object]:
    """All of a site key but the key itself."""
    return {
        "masked_key": key.masked,
        "token_id": key.token_id,
        "weak": key.is_weak,
        "created": clock.rfc3339(key.created_at),
        "created_by": key.created_by_label,
        "secret_confirmed": key.secret_confirmed_at is not None,
        "ends": clock.rfc3339(key.ends_at) if key.ends_at else None,
    }


def state_fields(state: State) -> dict[str, object]:
    """What stands."""
    source = "environment" if state.by_variable else state.source
    return {
        "demanded": state.demanded,
        "demanded_by": source or None,
        "current": site_key_fields(state.current) if state.current else None,
        "retiring": site_key_fields(state.retiring) if state.retiring else None,
    }


def issued_fields(issued: Issued, state: State) -> dict[str, object]:
    """The same after a change; with the site key where it was made here, and a warning where it is weak."""
    fields = state_fields(state)
    if issued.secret:
        fields["site_key"] = issued.secret
    if issued.site_key.is_weak:
        fields["warning"] = WARNING
    return fields
