"""Every change that can be made to a key. Pages, REST, commands and drop-in endpoints all call these."""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, TypedDict

from django.conf import settings

from accounts.models import Membership, Organization, User, UserKind
from accounts.services.catalogue import check_patterns
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.instance import services as instance
from keyadmin.kernel import addresses, clock, tokens
from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError, StaleError, UnavailableError
from keyadmin.kernel.text import clean_line, clean_text
from keyadmin.keys import given, policy, queries, rights
from keyadmin.keys.flairs import effective_flairs, without_flairs
from keyadmin.keys.given import Entered
from keyadmin.keys.models import DESCRIPTION_LENGTH, NAME_LENGTH, APIKey, FormerTokenId, KeyBlock, KeyKind
from keyadmin.keys.status import Status

LONGEST_NETWORK_LIST = 100


@dataclass(frozen=True, slots=True)
class Issued:
    """A key with its secret, for the one answer in which it is shown; empty if the secret was made elsewhere."""

    key: APIKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Minted:
    """A fresh secret and its verifier, made before a transaction begins because the hash may be slow."""

    token: tokens.Token
    verifier: str = field(repr=False)


class KeyChanges(TypedDict, total=False):
    """The fields that can be edited; an absent one stays as it is."""

    name: str
    description: str
    expires_at: datetime | None
    permissions: list[str] | None
    allowed_networks: list[str]


class Unsaid:
    """The type of UNSAID: an expiry of which nothing was said, which None (never) can't mean."""


UNSAID: Final = Unsaid()


def mint(environment: tokens.Environment = "live") -> Minted:
    """A new secret from the system's CSPRNG with its verifier."""
    token = tokens.mint(settings.ENV.key_prefix, environment)
    return Minted(token, settings.KEY_HASHER.hash(token.text))


def mint_like(key: APIKey) -> Minted:
    """A new secret of the same environment as the key's."""
    return mint("test" if key.environment == "test" else "live")


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
    minted: Minted | None = None,
    confirmed: bool = True,
) -> Issued:
    """Make a key and return it with its secret, which is shown nowhere else, ever.

    An organisation key needs `organization`, a user key `owner`. `permissions` absent: none for an organisation
    key, all of the owner's for a user key. `expires_at` (aware) unsaid: as the organisation's key policy has it, else
    never; None: never. `confirmed` false: a person is shown
    the secret and has yet to say that it was saved (confirm_secret).
    Raises InvalidError (also for what the key policy demands), DeniedError (also for a right that the actor does not
    hold itself), NotFoundError, ConflictError (`one_key_per_user`).
    """
    organization, owner = _belongs_to(kind, organization, owner)
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
        permissions=_permissions(kind, permissions),
        allowed_networks=_networks(allowed_networks),
        environment=environment,
        expires_at=_future(expires_at),
        **_creation(actor),
    )
    rights.require_flairs(actor, key.organization_id, "", key.name)
    rights.require_holds_all(actor, key)
    policy.check_reason(demands, actor)
    policy.check_owner(demands, owner)
    policy.check_expiry(demands, key.expires_at, key.created_at)
    policy.check_power(demands, key)
    minted = minted or mint(environment)
    _put(key, minted, confirmed=confirmed)
    with work.unit(actor) as unit:
        _lock_with_actor(actor)
        _keep_single(key, demands)
        key.save(force_insert=True)
        unit.record(EventName.API_KEY_CREATED, _target(key), organizations=_chains(key), after=_snapshot(key))
    return Issued(key, minted.token.text)


def edit_key(*, actor: Actor, key_id: int, changes: KeyChanges, expected_version: int | None = None) -> APIKey:
    """Change name, description, expiry, permissions or networks; never the secret, creation time or creator.

    What makes the key work longer, from more places or again needs all its rights; a permission that is added
    must be held; taking away needs neither. Nothing changed: no event, same version.
    Raises NotFoundError, DeniedError, InvalidError (also for what the key policy demands of what is changed),
    StaleError, ConflictError (`key_revoked`, `one_key_per_user`).
    """
    with work.unit(actor) as unit:
        key = _locked(actor, key_id, expected_version)
        _refuse_revoked(key)
        before, name_before, reach_before = _snapshot(key), key.name, _reach(key)
        was_over = key.status is Status.EXPIRED
        gained = _apply(key, changes)
        after = _snapshot(key)
        changed = [name for name, value in after.items() if before[name] != value]
        if not changed:
            return key
        rights.require_flairs(actor, key.organization_id, name_before, key.name)
        if _reaches_further(reach_before, _reach(key)):
            rights.require_holds_all(actor, key)
        elif gained is None or gained:
            rights.require_holds_all(actor, _with_permissions(key, gained))
        demands = policy.demands_on(key.organization_id, key.owner)
        policy.check_reason(demands, actor)
        if "expiry_date" in changed:
            policy.check_expiry(demands, key.expires_at, clock.now())
        if {"permissions", "allowed_networks"} & set(changed):
            policy.check_power(demands, key)
        if was_over and key.status is not Status.EXPIRED:
            _keep_single(key, demands)
        _save(key)
        if set(changed) != {"description"}:
            unit.changes_rights()
        unit.record(
            EventName.API_KEY_UPDATED,
            _target(key),
            organizations=_chains(key),
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return key


def foresee_edit(key: APIKey, changes: KeyChanges) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that an edit would change, before and after, as the log would have them. Changes nothing.

    Raises InvalidError. Whether it may be done is asked when it is done.
    """
    seen = copy.copy(key)
    _apply(seen, changes)
    return _differing(_snapshot(key), _snapshot(seen))


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
        key = _locked(actor, key_id, expected_version)
        _refuse_revoked(key)
        rights.require_holds_all(actor, key)
        before, was_over = _snapshot(key), key.status is Status.EXPIRED
        demands = policy.demands_on(key.organization_id, key.owner)
        policy.check_reason(demands, actor)
        if not isinstance(expires_at, Unsaid):
            _set_expiry(key, expires_at)
            policy.check_expiry(demands, key.expires_at, clock.now())
        if key.status is Status.EXPIRED:
            raise ConflictError(code="expiry_required")
        if was_over:
            _keep_single(key, demands)
        _replace(key, minted, confirmed=confirmed)
        _save(key)
        unit.changes_rights()
        was, now = _differing(before, _snapshot(key))
        unit.record(EventName.API_KEY_REGENERATED, _target(key), organizations=_chains(key), before=was, after=now)
    return Issued(key, minted.token.text)


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
    organization, _ = _belongs_to(KeyKind.USER, None, owner)
    rights.require_assign(actor, organization, owner)
    name = f"{without_flairs(owner.name)[: NAME_LENGTH - 11].strip()} (assigned)"
    fresh = APIKey(
        kind=KeyKind.USER, organization=organization, owner=owner, name=name, assigned=True, **_creation(actor)
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
        before = _snapshot(key) if key.pk else None
        _set_life(key, demands, expires_at)
        unit.changes_rights()
        if same and _snapshot(key) == before:
            return Issued(key, "")
        if before is None:
            policy.check_power(demands, key)
            _put(key, new, confirmed=confirmed)
            key.save(force_insert=True)
        else:
            if not same:
                _replace(key, new, confirmed=confirmed)
            _save(key)
        was, now = _differing(before, _snapshot(key)) if before else (None, _snapshot(key))
        unit.record(EventName.API_KEY_ASSIGNED, _target(key), organizations=_chains(key), before=was, after=now)
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
    organization, _ = _belongs_to(KeyKind.USER, None, owner)
    rights.require_create(actor, organization, owner)
    last = queries.assigned_key(APIKey.objects.all(), owner)
    return revoke_key(actor=actor, key_id=last.pk) if last else None


def confirm_secret(*, actor: Actor, key_id: int, token_id: str) -> APIKey:
    """Note that the secret with this token id, shown on a page, was saved. Confirming it again changes nothing.

    The version stays: what the key can do does not change, and forms that are open stay good.
    Raises NotFoundError, DeniedError, StaleError (the key has another secret by now).
    """
    with work.unit(actor) as unit:
        key = _locked(actor, key_id, None)
        if token_id != key.token_id:
            raise StaleError
        if key.secret_confirmed_at is None:
            key.secret_confirmed_at = clock.now()
            key.save(update_fields=["secret_confirmed_at"])
            unit.record(EventName.API_KEY_SECRET_CONFIRMED, _target(key), organizations=_chains(key))
    return key


def pause_key(*, actor: Actor, key_id: int, expected_version: int | None = None) -> APIKey:
    """Stop the key for the time being. Pausing a paused key changes nothing. The brake never asks for a reason.

    Raises NotFoundError, DeniedError, StaleError, ConflictError (`key_revoked`).
    """
    with work.unit(actor) as unit:
        key = _locked(actor, key_id, expected_version)
        _refuse_revoked(key)
        if key.paused_at is None:
            key.paused_at = clock.now()
            _save(key)
            unit.record(EventName.API_KEY_PAUSED, _target(key), organizations=_chains(key))
        unit.changes_rights()
    return key


def resume_key(*, actor: Actor, key_id: int, expected_version: int | None = None) -> APIKey:
    """Let a paused key work again. Needs all rights of the key.

    Raises NotFoundError, DeniedError, StaleError, ConflictError (`key_revoked`, `key_not_paused`).
    """
    with work.unit(actor) as unit:
        key = _locked(actor, key_id, expected_version)
        _refuse_revoked(key)
        if key.paused_at is None:
            raise ConflictError(code="key_not_paused")
        rights.require_holds_all(actor, key)
        key.paused_at = None
        _save(key)
        unit.changes_rights()
        unit.record(EventName.API_KEY_RESUMED, _target(key), organizations=_chains(key))
    return key


def block_key(*, actor: Actor, key_id: int, organization: Organization, expected_version: int | None = None) -> APIKey:
    """Let a person's key do nothing more in this organisation; elsewhere it works as before.

    Blocking a blocked key changes nothing. The version stays: other organisations learn nothing of it. A brake,
    like pausing: it never asks for a reason.
    Raises NotFoundError, DeniedError, InvalidError (a key of another kind), StaleError.
    """
    with work.unit(actor) as unit:
        key = _locked_to_block(actor, key_id, organization, expected_version)
        unit.changes_rights()
        _, new = KeyBlock.objects.get_or_create(
            key=key,
            organization=organization,
            defaults={"blocked_at": clock.now(), "blocked_by_label": actor.label, "reason": actor.reason},
        )
        if new:
            unit.record(EventName.API_KEY_BLOCKED, _target(key), organizations=[organization.pk])
    return key


def unblock_key(
    *, actor: Actor, key_id: int, organization: Organization, expected_version: int | None = None
) -> APIKey:
    """Let a blocked key work again in this organisation. Unblocking one that is not blocked changes nothing.

    Needs all that the key gives there.
    Raises NotFoundError, DeniedError, InvalidError (a key of another kind), StaleError.
    """
    with work.unit(actor) as unit:
        key = _locked_to_block(actor, key_id, organization, expected_version)
        rights.require_holds_in(actor, key, organization.pk)
        unit.changes_rights()
        removed, _ = KeyBlock.objects.filter(key=key, organization=organization).delete()
        if removed:
            unit.record(EventName.API_KEY_UNBLOCKED, _target(key), organizations=[organization.pk])
    return key


def revoke_key(*, actor: Actor, key_id: int, expected_version: int | None = None) -> APIKey:
    """Stop the key for good and erase its verifier; the record stays. Revoking a revoked key changes nothing.

    Raises NotFoundError, DeniedError, StaleError, InvalidError (no reason where one is demanded).
    """
    with work.unit(actor) as unit:
        key = _locked(actor, key_id, expected_version)
        if key.revoked_at is None:
            policy.check_reason(policy.demands_on(key.organization_id, key.owner), actor)
            key.revoked_at, key.verifier = clock.now(), ""
            _save(key)
            unit.record(EventName.API_KEY_REVOKED, _target(key), organizations=_chains(key))
        unit.changes_rights()
    return key


def delete_key(*, actor: Actor, key_id: int, expected_version: int | None = None) -> None:
    """Stop the key for good and remove its record; the activity log keeps the story.

    Raises NotFoundError, DeniedError, StaleError, InvalidError (no reason where one is demanded).
    """
    with work.unit(actor) as unit:
        key = _locked(actor, key_id, expected_version)
        policy.check_reason(policy.demands_on(key.organization_id, key.owner), actor)
        unit.record(EventName.API_KEY_DELETED, _target(key), organizations=_chains(key), before=_snapshot(key))
        unit.changes_rights()
        key.delete()


def stamp_expired() -> int:
    """Note which keys were seen to have expired, so that a clock set back revives none; returns how many.

    No activity and no epoch: the moment itself was already known to every verifier.
    """
    now = clock.now()
    return APIKey.objects.filter(expires_at__lte=now, expired_seen_at=None).update(expired_seen_at=now)


def _belongs_to(
    kind: str, organization: Organization | None, owner: User | None
) -> tuple[Organization | None, User | None]:
    if kind == KeyKind.ORGANIZATION:
        if owner is not None:
            raise InvalidError.field("owner", "An organisation key has no owner.")
        if organization is None:
            raise InvalidError.field("organization", "Say which organisation the key belongs to.")
        return organization, None
    if owner is None:
        raise InvalidError.field("owner", "Say whose key this is.")
    homes = [row.organization for row in Membership.objects.select_related("organization").filter(user=owner)]
    if organization is not None and organization not in homes:
        raise InvalidError.field("owner", "This user is not in the organisation.")
    return (homes[0] if owner.kind == UserKind.API else None), owner


def _creation(actor: Actor) -> dict[str, Any]:
    """When a key is made, and by whom."""
    return {
        "created_at": clock.now(),
        "created_by_id": actor.user_id,
        "created_by_key": actor.id if actor.kind is ActorKind.KEY else None,
        "created_by_label": actor.label,
    }


def _locked(actor: Actor, key_id: int, expected_version: int | None) -> APIKey:
    """The key, locked until the unit ends, if the actor may see and manage it and it is the version expected."""
    key = queries.visible_key(actor, key_id)
    rights.require_manage(actor, key)
    return _locked_as_seen(actor, key_id, expected_version)


def _locked_to_block(actor: Actor, key_id: int, organization: Organization, expected_version: int | None) -> APIKey:
    """The same for whoever may block it in the organisation."""
    rights.require_block(actor, queries.visible_key(actor, key_id), organization)
    return _locked_as_seen(actor, key_id, expected_version)


def _locked_as_seen(actor: Actor, key_id: int, expected_version: int | None) -> APIKey:
    _lock_with_actor(actor, key_id)
    found = queries.visible_keys(actor).filter(pk=key_id).first()
    if found is None:  # deleted meanwhile
        raise NotFoundError("There is no such API key.")
    if expected_version is not None and expected_version != found.version:
        raise StaleError
    return found


def _lock_with_actor(actor: Actor, *key_ids: int) -> None:
    """Lock the keys until the unit ends, and the acting key with them, which must be what it was when verified.

    So of a revoke and what the revoked key does at that moment one comes first: either the revoke waits until it is
    done, or it is refused. In the order of ids, so that two keys that act on each other can't deadlock; without
    their key columns, which rows that point at them are checked against at COMMIT.
    """
    acting = actor.id if actor.kind is ActorKind.KEY else None
    ids = {pk for pk in (*key_ids, acting) if pk is not None}
    rows = {key.pk: key for key in APIKey.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")}
    if acting is not None and (
        acting not in rows
        or rows[acting].state != actor.key_state
        or not queries.blocking(rows[acting]) <= actor.held.blocked
    ):
        raise UnavailableError("The key was changed while it was being used, so nothing was done. Try again.")


def _keep_single(key: APIKey, demands: policy.Demands) -> None:
    """One key for each user, where that is demanded: of two made at once one comes first, by a lock on the owner."""
    if demands.one_key_per_user and key.owner_id is not None:
        User.objects.select_for_update(no_key=True).get(pk=key.owner_id)
        policy.check_single(demands, key, clock.now())


def _refuse_revoked(key: APIKey) -> None:
    if key.revoked_at is not None:
        raise ConflictError(code="key_revoked")


def _apply(key: APIKey, changes: KeyChanges) -> frozenset[str] | None:
    """Put checked values on the key; returns the permissions gained (None: a limit was taken away)."""
    gained: frozenset[str] | None = frozenset()
    if "name" in changes:
        key.name = clean_line("name", changes["name"], longest=NAME_LENGTH)
    if "description" in changes:
        key.description = clean_text("description", changes["description"], longest=DESCRIPTION_LENGTH)
    if "expires_at" in changes:
        _set_expiry(key, changes["expires_at"])
    if "allowed_networks" in changes:
        key.allowed_networks = _networks(changes["allowed_networks"])
    if "permissions" in changes:
        if changes["permissions"] is None and key.kind == KeyKind.ORGANIZATION:
            raise InvalidError.field("permissions", "An organisation key needs a list; it may be empty.")
        wanted = _permissions(key.kind, changes["permissions"])
        gained = rights.added(key.permissions, wanted)
        key.permissions = wanted
    return gained


def _with_permissions(key: APIKey, gained: frozenset[str] | None) -> APIKey:
    """The key as if it gave only what it gained."""
    permissions = None if gained is None else sorted(gained)
    return APIKey(kind=key.kind, organization=key.organization, owner=key.owner, permissions=permissions)


class _Reach(NamedTuple):
    """How long, from where and over what a key works; and whether it was seen to have expired."""

    seen_expired: bool
    expires_at: datetime | None
    networks: list[str]
    segment: bool


def _reach(key: APIKey) -> _Reach:
    return _Reach(
        key.expired_seen_at is not None, key.expires_at, key.allowed_networks, "segment" in effective_flairs(key.name)
    )


def _reaches_further(before: _Reach, after: _Reach) -> bool:
    """Whether the key works longer, from more places, or on more than what it created itself."""
    again = before.seen_expired and not after.seen_expired
    longer = before.expires_at is not None and (after.expires_at is None or after.expires_at > before.expires_at)
    return (
        again or longer or addresses.widens(before.networks, after.networks) or (before.segment and not after.segment)
    )


def _set_expiry(key: APIKey, expires_at: datetime | None) -> None:
    if expires_at == key.expires_at:
        return
    key.expires_at, key.expired_seen_at = _future(expires_at), None


def _future(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidError.field("expiry_date", "The expiry date must be in the future.")
    return expires_at


def _permissions(kind: str, wanted: Iterable[str] | None) -> list[str] | None:
    if wanted is None:
        return [] if kind == KeyKind.ORGANIZATION else None
    return check_patterns(wanted, instance=kind == KeyKind.USER)


def _networks(wanted: Iterable[str]) -> list[str]:
    found, problems = [], []
    for text in wanted:
        try:
            found.append(addresses.parse_network(text))
        except ValueError as error:
            problems.append(str(error))
    if len(found) > LONGEST_NETWORK_LIST:
        problems.append(f"At most {LONGEST_NETWORK_LIST} networks.")
    if problems:
        raise InvalidError(problems[0], errors={"allowed_networks": problems})
    return list(dict.fromkeys(found))


def _locked_assigned(actor: Actor, owner: User) -> APIKey | None:
    """The key that is assigned to the user now, locked until the unit ends; None if there is none, or not any more."""
    last = queries.assigned_key(APIKey.objects.all(), owner)
    _lock_with_actor(actor, *([last.pk] if last else []))
    return queries.assigned_key(APIKey.objects.filter(revoked_at=None), owner)


def _set_life(key: APIKey, demands: policy.Demands, expires_at: datetime | Unsaid | None) -> None:
    """When an assigned key ends: as is said; a new one, or one that has expired, else as the key policy has it."""
    begins = key.pk is None or key.status is Status.EXPIRED
    if begins and isinstance(expires_at, Unsaid):
        expires_at = policy.default_expiry(demands, clock.now())
    if not isinstance(expires_at, Unsaid):
        _set_expiry(key, expires_at)
        policy.check_expiry(demands, key.expires_at, clock.now())
    if begins:
        _keep_single(key, demands)


def _replace(key: APIKey, new: Minted | Entered, *, confirmed: bool) -> None:
    """Put a new secret on a key that exists, and keep the token id of the old one."""
    FormerTokenId(key=key, token_id=key.token_id, tail=key.tail, replaced_at=clock.now()).save(force_insert=True)
    _put(key, new, confirmed=confirmed)


def _put(key: APIKey, new: Minted | Entered, *, confirmed: bool) -> None:
    key.verifier = new.verifier
    if isinstance(new, Entered):
        key.prefix, key.token_id, key.bucket, key.tail = "", None, new.bucket, new.tail
        key.environment = key.environment or "live"
    else:
        token = new.token
        key.prefix, key.token_id, key.bucket, key.tail = token.prefix, token.token_id, None, token.tail
        key.environment = token.environment
    key.secret_confirmed_at = clock.now() if confirmed else None


def _save(key: APIKey) -> None:
    key.version += 1
    key.save(force_update=True)


def _target(key: APIKey) -> Target:
    return Target("api_key", key.pk, key.name)


def _chains(key: APIKey) -> list[int]:
    """The organisations that log what happens to the key: its own, or all of the person that it belongs to."""
    if key.organization_id is not None:
        return [key.organization_id]
    rows = Membership.objects.filter(user=key.owner).order_by("organization_id")
    return list(rows.values_list("organization_id", flat=True))


def _differing(before: dict[str, object], after: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The fields of two snapshots that differ, before and after."""
    changed = [name for name, value in after.items() if before[name] != value]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _snapshot(key: APIKey) -> dict[str, object]:
    """What the log says of a key: never its verifier."""
    return {
        "name": key.name,
        "description": key.description,
        "kind": key.kind,
        "environment": key.environment,
        "owner": key.owner_id,
        "token_id": key.token_id,
        "permissions": key.permissions,
        "allowed_networks": key.allowed_networks,
        "expiry_date": clock.rfc3339(key.expires_at) if key.expires_at else None,
    }
