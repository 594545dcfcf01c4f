"""Keys made, and made anew."""

from collections.abc import Iterable
from datetime import datetime

from accounts.models import Organization, User
from keyadmin.activity import work
from keyadmin.activity.events import EventName
from keyadmin.kernel import clock, tokens
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, StaleError
from keyadmin.kernel.text import clean_line, clean_text
from keyadmin.keys import policy, queries, rights
from keyadmin.keys.models import DESCRIPTION_LENGTH, NAME_LENGTH, APIKey, KeyKind
from keyadmin.keys.services.common import (
    UNSAID,
    Unsaid,
    belongs_to,
    chains_of,
    checked_expiry,
    checked_networks,
    checked_permissions,
    checked_rate,
    creation,
    differing,
    keep_single,
    lock_with_actor,
    locked,
    refuse_revoked,
    save,
    set_expiry,
    snapshot,
    target_of,
)
from keyadmin.keys.services.secrets import Issued, Minted, mint, mint_like, put, replace
from keyadmin.keys.status import Status


def create_key(
    *,
    actor: Actor,
    name: str,
    kind: str = KeyKind.ORGANIZATION,
    organization: Organization | None = None,
    owner: User | None = None,
    description: str = "",
    permissions: Iterable[str] | None = None,
    expires_at: datetime | Unsaid | None = UNSAID,
    environment: tokens.Environment = "live",
    allowed_networks: Iterable[str] = (),
    rate_limit: str | None = None,
    minted: Minted | None = None,
    confirmed: bool = True,
) -> Issued:
    """Make a key and return it with its secret, which is shown nowhere else, ever.

    An organisation key needs `organization`, a user key `owner`. `permissions` absent: none for an organisation
    key, all of the owner's for a user key. `expires_at` (aware) unsaid: as the organisation's key policy has it, else
    never; None: never. `rate_limit` such as `600/minute`; None: the organisation's default. `confirmed` false: a
    person is shown the secret and has yet to say that it was saved (confirm_secret).
    Raises InvalidError (also for what the key policy demands), DeniedError (also for a right that the actor does not
    hold itself), NotFoundError, ConflictError (`one_key_per_user`).
    """
    organization, owner = belongs_to(kind, organization, owner)
    rights.require_create(actor, organization, owner)
    demands = policy.demands_on(organization.pk if organization else None, owner)
    if isinstance(expires_at, Unsaid):
        expires_at = policy.default_expiry(demands, clock.now())
    key = APIKey(
        kind=kind,
        organization=organization,
        owner=owner,
        name=clean_line("name", name, longest=NAME_LENGTH),
        description=clean_text("description", description, longest=DESCRIPTION_LENGTH),
        permissions=checked_permissions(kind, permissions),
        allowed_networks=checked_networks(allowed_networks),
        environment=environment,
        expires_at=checked_expiry(expires_at),
        **creation(actor=actor),
    )
    key.rate_limit = checked_rate(rate_limit)
    rights.require_flairs(actor, key.organization_id, "", key.name)
    rights.require_holds_all(actor, key)
    policy.check_reason(demands, actor)
    policy.check_owner(demands, owner)
    policy.check_expiry(demands, key.expires_at, key.created_at)
    policy.check_power(demands, key)
    minted = minted or mint(environment)
    put(key, minted, actor=actor, confirmed=confirmed)
    with work.unit(actor) as unit:
        lock_with_actor(actor=actor)
        keep_single(key, demands)
        key.save(force_insert=True)
        unit.record(EventName.API_KEY_CREATED, target_of(key), organizations=chains_of(key), after=snapshot(key))
    return Issued(key, minted.token.text)


def regenerate_key(
    *,
    actor: Actor,
    key_id: int,
    expires_at: datetime | Unsaid | None = UNSAID,
    expected_version: int | None = None,
    minted: Minted | None = None,
    confirmed: bool = True,
) -> Issued:
    """Give the same record a new secret and token id; the old secret is dead at once.

    An expired key needs a new expiry with it; a paused one stays paused. Needs all rights of the key. `confirmed`
    as for create_key.
    Raises NotFoundError, DeniedError, InvalidError, StaleError, ConflictError (`key_revoked`, `expiry_required`,
    `one_key_per_user`).
    """
    seen = queries.visible_key(actor, key_id)
    rights.require_manage(actor, seen)
    minted = minted or mint_like(seen)
    with work.unit(actor) as unit:
        key = locked(key_id, expected_version, actor=actor)
        refuse_revoked(key)
        rights.require_holds_all(actor, key)
        before, was_over = snapshot(key), key.status is Status.EXPIRED
        demands = policy.demands_on(key.organization_id, key.owner)
        policy.check_reason(demands, actor)
        if not isinstance(expires_at, Unsaid):
            set_expiry(key, expires_at)
            policy.check_expiry(demands, key.expires_at, clock.now())
        if key.status is Status.EXPIRED:
            raise ConflictError(code="expiry_required")
        if was_over:
            keep_single(key, demands)
        replace(key, minted, actor=actor, confirmed=confirmed)
        save(key)
        unit.changes_rights()
        was, now = differing(before, snapshot(key))
        unit.record(EventName.API_KEY_REGENERATED, target_of(key), organizations=chains_of(key), before=was, after=now)
    return Issued(key, minted.token.text)


def confirm_secret(*, actor: Actor, key_id: int, token_id: str) -> APIKey:
    """Note that the secret with this token id, shown on a page, was saved. Confirming it again changes nothing.

    The version stays: what the key can do does not change, and forms that are open stay good.
    Raises NotFoundError, DeniedError, StaleError (the key has another secret by now).
    """
    with work.unit(actor) as unit:
        key = locked(key_id, None, actor=actor)
        if token_id != key.token_id:
            raise StaleError
        if key.secret_confirmed_at is None:
            key.secret_confirmed_at = clock.now()
            key.save(update_fields=["secret_confirmed_at"])
            unit.record(EventName.API_KEY_SECRET_CONFIRMED, target_of(key), organizations=chains_of(key))
    return key
