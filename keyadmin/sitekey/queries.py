from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from accounts.access import require_instance
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import NotFoundError
from keyadmin.sitekey.models import SiteKey, SiteKeyState

PERMISSION = "sitekey.ctrl"
VARIABLE = "KEYADMIN_REQUIRE_SITE_KEY"
SETTING = "setting"
DAYS = 7  # over which keys that were used are counted, before a site key is demanded of them


class Accepted(NamedTuple):
    """A site key that counts until `until` (seconds since 1970): what is needed to compare one with it."""

    id: int
    verifier: str
    until: float
    is_weak: bool


@dataclass(frozen=True, slots=True)
class State:
    """What stands: the key that counts, the one before it while that counts too, and who demands one.

    `source` is the name of the variable, `setting`, or empty where none is demanded; the variable comes first.
    """

    current: SiteKey | None
    retiring: SiteKey | None
    source: str

    @property
    def demanded(self) -> bool:
        return self.source != ""

    @property
    def by_variable(self) -> bool:
        return self.source == VARIABLE

    @property
    def shuts_out(self) -> bool:
        """Whether every request by key is refused, because what is demanded does not exist."""
        return self.demanded and self.current is None and self.retiring is None


def require_manage(actor: Actor) -> None:
    """Raise DeniedError without `sitekey.ctrl`, NotFoundError for a key with the flair [segment]: it made none."""
    require_instance(actor, PERMISSION)
    if actor.segment:
        raise NotFoundError("There is no site key.")


def state(actor: Actor) -> State:
    """All about the site key but the key itself. Raises DeniedError, NotFoundError as `require_manage`."""
    require_manage(actor)
    return _state()


def demanded() -> tuple[Accepted, ...] | None:
    """The site keys of which each request by key must carry one; None: none is demanded.

    Nothing at all, if one is demanded before there is one: then every request is refused.
    """
    found = _state()
    if not found.demanded:
        return None
    keys = (key for key in (found.current, found.retiring) if key is not None)
    return tuple(Accepted(key.pk, key.verifier, _seconds(key.ends_at), key.is_weak) for key in keys)


def is_demanded() -> bool:
    """Whether a request by key has to carry the site key, too."""
    return _state().demanded


def is_missing() -> bool:
    """Whether the variable demands a site key and there is none."""
    return _state().shuts_out


def _state() -> State:
    now = clock.now()
    found = {key.state: key for key in SiteKey.objects.order_by("pk") if key.counts_at(now)}
    current = found.get(SiteKeyState.CURRENT)
    by_setting = SETTING if current is not None and current.demanded else ""
    source = VARIABLE if settings.ENV.require_site_key else by_setting
    return State(current, found.get(SiteKeyState.RETIRING), source)


def _seconds(moment: datetime | None) -> float:
    return float("inf") if moment is None else moment.timestamp()
