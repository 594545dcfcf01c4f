"""How a key stands in JSON: in REST answers and in what commands print."""

from accounts.representation import organization_ref, user_ref
from keyadmin.kernel import clock
from keyadmin.keys import given
from keyadmin.keys.models import APIKey
from keyadmin.keys.services import Issued


def key_fields(key: APIKey) -> dict[str, object]:
    """A key without its secret; times are RFC 3339 UTC, `expiry_date` null means never."""
    return {
        "api_key_id": key.pk,
        "token_id": key.token_id,
        "name": key.name,
        "description": key.description,
        "masked_key": key.masked,
        "status": key.status,
        "kind": key.kind,
        "environment": key.environment,
        "owner": user_ref(key.owner) if key.owner else None,
        "organization": organization_ref(key.organization) if key.organization else None,
        "permissions": key.permissions,
        "flairs": key.flairs,
        "created": clock.rfc3339(key.created_at),
        "created_by": _creator(key),
        "expiry_date": clock.rfc3339(key.expires_at) if key.expires_at else None,
        "last_used": clock.rfc3339(key.last_used) if key.last_used else None,
        "allowed_networks": key.allowed_networks,
        "rate_limit": key.rate_limit,
        "locked": False,
        "version": key.version,
    }


def issued_fields(issued: Issued) -> dict[str, object]:
    """The same with the secret, for the one answer in which it is shown."""
    return {**key_fields(issued.key), "api_key": issued.secret}


def assigned_fields(issued: Issued) -> dict[str, object]:
    """A key that was assigned; with the secret where it was generated, and a warning where it is weak."""
    fields = issued_fields(issued) if issued.secret else key_fields(issued.key)
    weak = issued.key.is_weak and issued.key.revoked_at is None
    return {**fields, "warning": given.WARNING} if weak else fields


def _creator(key: APIKey) -> dict[str, object] | None:
    """The user who made the key, or the key that did; null for the operator of the machine."""
    if key.created_by is not None:
        return user_ref(key.created_by)
    if key.created_by_key is not None:
        return {"id": key.created_by_key, "uid": None, "kind": "key", "name": key.created_by_label}
    return None
