"""The ordered checks. Pure: frozen facts, what is asked, and the moment go in; an outcome comes out.

The simulator and the middleware run this same function, so that they can't disagree.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from keyadmin.kernel import addresses
from keyadmin.kernel.patterns import Held
from keyadmin.kernel.rates import Rate
from keyadmin.keys.status import Status, status_of
from keyadmin.sitekey.queries import Accepted
from keyadmin.verify.outcome import Decision, Outcome


class KeyFacts(NamedTuple):
    """All of a key that decides, read at one moment. Times are aware UTC.

    `held` knows each organisation in which the key works, also suspended ones and those that have blocked it; `limit`
    is the own list of a user key that has one. `rate` is how often it may be used, counted under the name `meter`.
    `site_keys` are those of which the instance demands one beside the key, perhaps before there is any; None: of none.
    """

    key_id: int
    label: str
    masked: str
    token_id: str  # empty: its secret was made elsewhere
    kind: str
    environment: str
    state: str
    revoked_at: datetime | None
    expired_seen_at: datetime | None
    expires_at: datetime | None
    paused_at: datetime | None
    replaced: bool
    secret_matches: bool
    organization_id: int | None
    owner_id: int | None
    owner_uid: str
    owner_active: bool
    held: Held
    limit: frozenset[str] | None
    allowed_networks: tuple[str, ...]
    segment: bool
    rate: Rate | None = None
    meter: str = ""
    site_keys: tuple[Accepted, ...] | None = None


class Ask(NamedTuple):
    """What the request wants. `organization_id` None: any that the key reaches; -1: one that does not exist.

    All `permissions` are needed, or one of them if `any_permission` is set. `environment` empty: either.
    `has_site_key`: one of the site keys that are demanded came with the request.
    """

    address: str
    organization_id: int | None = None
    permissions: tuple[str, ...] = ()
    any_permission: bool = False
    environment: str = ""
    has_site_key: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    facts: KeyFacts
    ask: Ask
    now: datetime
    status: Status = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", status_of(self.facts, self.now))


def decide(facts: KeyFacts, ask: Ask, now: datetime) -> Decision:
    """The first check that refuses decides."""
    question = _Question(facts, ask, now)
    for check in CHECKS:
        refusal = check(question)
        if refusal is not None:
            return refusal
    return Decision(Outcome.ALLOWED)


def checked(facts: KeyFacts, ask: Ask, now: datetime) -> list[tuple[str, Decision | None]]:
    """Every check by its name, in their order, with what it refuses; None: it passes."""
    question = _Question(facts, ask, now)
    return [(check.__name__.removeprefix("_"), check(question)) for check in CHECKS]


def _replaced(q: _Question) -> Decision | None:
    return Decision(Outcome.REPLACED) if q.facts.replaced else None


def _revoked(q: _Question) -> Decision | None:
    return Decision(Outcome.REVOKED) if q.status is Status.REVOKED else None


def _secret(q: _Question) -> Decision | None:
    return None if q.facts.secret_matches else Decision(Outcome.WRONG_SECRET)


def _organization(q: _Question) -> Decision | None:
    meant, held = q.ask.organization_id, q.facts.held
    if meant is None or meant in held.rights or (held.everywhere is not None and meant > 0):
        return None
    return Decision(Outcome.ORGANIZATION_NOT_REACHED)


def _expired(q: _Question) -> Decision | None:
    return Decision(Outcome.EXPIRED) if q.status is Status.EXPIRED else None


def _paused(q: _Question) -> Decision | None:
    return Decision(Outcome.PAUSED) if q.status is Status.PAUSED else None


def _owner(q: _Question) -> Decision | None:
    return None if q.facts.owner_active else Decision(Outcome.OWNER_DISABLED)


def _suspended(q: _Question) -> Decision | None:
    """Refused if the organisation meant is suspended, or every one that the key could mean."""
    held = q.facts.held
    meant = {q.ask.organization_id} if q.ask.organization_id is not None else set(held.rights)
    if held.everywhere is None and meant and meant <= held.suspended:
        return Decision(Outcome.ORGANIZATION_SUSPENDED)
    return None


def _site_key(q: _Question) -> Decision | None:
    """Refused while one is demanded and there is none, too."""
    wanted = q.facts.site_keys
    return None if wanted is None or (wanted and q.ask.has_site_key) else Decision(Outcome.SITE_KEY_REQUIRED)


def _environment(q: _Question) -> Decision | None:
    wrong = q.ask.environment and q.ask.environment != q.facts.environment
    return Decision(Outcome.WRONG_ENVIRONMENT) if wrong else None


def _blocked(q: _Question) -> Decision | None:
    """Refused if the organisation meant has blocked the key, or every one that the key could mean."""
    meant, held = q.ask.organization_id, q.facts.held
    possible = {meant} if meant is not None else held.rights.keys() - held.suspended
    return Decision(Outcome.KEY_BLOCKED) if possible and possible <= held.blocked else None


def _address(q: _Question) -> Decision | None:
    networks = q.facts.allowed_networks
    if not networks or addresses.contains(networks, q.ask.address):
        return None
    return Decision(Outcome.ADDRESS_NOT_ALLOWED)


def _permission(q: _Question) -> Decision | None:
    missing = [name for name in q.ask.permissions if not q.facts.held.allows(name, q.ask.organization_id)]
    if not missing or (q.ask.any_permission and len(missing) < len(q.ask.permissions)):
        return None
    return Decision(Outcome.MISSING_PERMISSION, missing[0])


CHECKS: tuple[Callable[[_Question], Decision | None], ...] = (
    _replaced,
    _revoked,
    _secret,
    _organization,
    _expired,
    _paused,
    _owner,
    _suspended,
    _site_key,
    _environment,
    _blocked,
    _address,
    _permission,
)
