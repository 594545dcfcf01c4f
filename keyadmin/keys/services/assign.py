"""The one key that is assigned to a user."""

from datetime import datetime

from accounts.models import User
from keyadmin.activity import work
from keyadmin.activity.events import EventName
from keyadmin.instance import services as instance
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.keys import given, policy, queries, rights
from keyadmin.keys.flairs import without_flairs
from keyadmin.keys.given import Entered
from keyadmin.keys.models import NAME_LENGTH, APIKey, KeyBlock, KeyKind
from keyadmin.keys.services.common import (
    UNSAID,
    Unsaid,
    belongs_to,
    chains_of,
    creation,
    differing,
    keep_single,
    lock_with_actor,
    save,
    set_expiry,
    snapshot,
    target_of,
)
from keyadmin.keys.services.life import revoke_key
from keyadmin.keys.services.secrets import Issued, Minted, mint, put, replace
from keyadmin.keys.status import Status


def assign_key(
    *,
    actor: Actor,
    owner: User,
    secret: str | None = None,
    expires_at: datetime | Unsaid | None = UNSAID,
    minted: Minted | None = None,
    confirmed: bool = True,
) -> Issued:
    """Give a user the one key that is assigned to them: enter a secret made elsewhere, or have one generated (None).

    The secret that was assigned before is dead at once: the same record has the new one, and stays paused if it was.
    A new record, or one that has expired, ends as `expires_at` says, else as the key policy does. Keys made
    otherwise stay. To assign the same secret again changes nothing. `confirmed` as for create_key.
    Raises NotFoundError, DeniedError, InvalidError (also for what the key policy demands), ConflictError
    (`secret_in_use`, `one_key_per_user`).
    """
    organization, _ = belongs_to(KeyKind.USER, None, owner)
    rights.require_assign(actor, organization, owner)
    name = f"{without_flairs(owner.name)[: NAME_LENGTH - 11].strip()} (assigned)"
    fresh = APIKey(
        kind=KeyKind.USER, organization=organization, owner=owner, name=name, assigned=True, **creation(actor=actor)
    )
    demands = policy.demands_on(fresh.organization_id, owner)
    policy.check_reason(demands, actor)
    policy.check_owner(demands, owner)
    new = (minted or mint()) if secret is None else given.enter(secret, demands.shortest_imported_secret)
    with work.unit(actor) as unit:
        instance.lock()  # one assigns after the other, so that no secret comes to two keys
        key = _locked_assigned(actor, owner) or fresh
        if isinstance(new, Entered):
            new.refuse_used(but_by=key.pk)
        same = isinstance(new, Entered) and new.is_held_by(key)
        before = snapshot(key) if key.pk else None
        _set_life(key, demands, expires_at)
        unit.changes_rights()
        if same and snapshot(key) == before:
            return Issued(key, "")
        if before is None:
            policy.check_power(demands, key)
            put(key, new, actor=actor, confirmed=confirmed)
            key.save(force_insert=True)
            _keep_blocks(key)
        else:
            if not same:
                replace(key, new, actor=actor, confirmed=confirmed)
            save(key)
        was, now = differing(before, snapshot(key)) if before else (None, snapshot(key))
        unit.record(EventName.API_KEY_ASSIGNED, target_of(key), organizations=chains_of(key), before=was, after=now)
    return Issued(key, new.token.text if isinstance(new, Minted) else "")


def set_assigned_key(
    *, actor: Actor, owner: User, secret: str | None, expires_at: datetime | Unsaid | None = UNSAID
) -> Issued | None:
    """The same as programs say it: an empty secret revokes the assigned key. None if there never was one to revoke."""
    if secret != "":
        return assign_key(actor=actor, owner=owner, secret=secret, expires_at=expires_at)
    key = revoke_assigned_key(actor=actor, owner=owner)
    return Issued(key, "") if key else None


def revoke_assigned_key(*, actor: Actor, owner: User) -> APIKey | None:
    """Stop the key that is assigned to a user for good; nothing changes if it is revoked. None if there never was one.

    Raises NotFoundError, DeniedError, InvalidError (no reason where one is demanded).
    """
    organization, _ = belongs_to(KeyKind.USER, None, owner)
    rights.require_create(actor, organization, owner)
    last = queries.assigned_key(APIKey.objects.all(), owner)
    return revoke_key(actor=actor, key_id=last.pk) if last else None


def _locked_assigned(actor: Actor, owner: User) -> APIKey | None:
    """The key that is assigned to the user now, locked until the unit ends; None if there is none, or not any more."""
    last = queries.assigned_key(APIKey.objects.all(), owner)
    if last is not None and last.revoked_at is None:
        rights.require_touch(actor, last)
    lock_with_actor(*([last.pk] if last else []), actor=actor)
    return queries.assigned_key(APIKey.objects.filter(revoked_at=None), owner)


def _set_life(key: APIKey, demands: policy.Demands, expires_at: datetime | Unsaid | None) -> None:
    """When an assigned key ends: as is said; a new one, or one that has expired, else as the key policy has it."""
    begins = key.pk is None or key.status is Status.EXPIRED
    if begins and isinstance(expires_at, Unsaid):
        expires_at = policy.default_expiry(demands, clock.now())
    if not isinstance(expires_at, Unsaid):
        set_expiry(key, expires_at)
        policy.check_expiry(demands, key.expires_at, clock.now())
    if begins:
        keep_single(key, demands)


def _keep_blocks(key: APIKey) -> None:
    """Whoever blocked the user's assigned key has blocked the next one too: it may have the same secret."""
    earlier = KeyBlock.objects.filter(key__owner=key.owner, key__assigned=True).exclude(key=key).order_by("-pk")
    for block in {block.organization_id: block for block in earlier}.values():
        block.pk, block.key = None, key
        block.save(force_insert=True)
