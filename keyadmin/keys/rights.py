"""Who may manage a key, and who may give what it gives. Shared by the services; decides, changes nothing."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from accounts import access, queries
from accounts.models import Organization, User, UserKind
from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.kernel.errors import DeniedError, InvalidError, NotFoundError
from keyadmin.kernel.patterns import HOLDS_NOTHING, NOTHING, Held, Rights
from keyadmin.keys.flairs import effective_flairs
from keyadmin.keys.models import APIKey, KeyKind

SEGMENT_ONLY = "A key with the flair [segment] can give its limit alone: nothing to a key that has no such limit."


def require_manage(actor: Actor, key: APIKey) -> None:
    """Raise DeniedError unless the actor may change this key, which it can see."""
    if key.organization_id is not None:
        if not _manages(actor, key, key.organization_id):
            access.require(actor, "apikey.ctrl", key.organization_id)
    elif key.owner is not None:
        require_manage_person(actor, key.owner)


class Permitted(NamedTuple):
    """What an actor may do with some keys, by their ids: manage them, and also prolong, resume, regenerate them.

    In the organisation meant: block them, and also unblock them.
    """

    managed: frozenset[int]
    givable: frozenset[int]
    blockable: frozenset[int]
    unblockable: frozenset[int]


def permitted(actor: Actor, keys: Iterable[APIKey]) -> Permitted:
    """The same as a question, for pages that show no button which would be refused. One query for all of the keys."""
    every = list(keys)
    owners = access.held_by_each(key.owner for key in every if key.owner is not None)
    managed = [key for key in every if _may_manage(actor, key, owners)]
    givable = [key for key in managed if _holds_all(actor, key, owners.get(key.owner_id or 0))]
    blockable = [key for key in every if _may_block(actor, key, owners)]
    unblockable = [key for key in blockable if _holds_here(actor, key, owners[key.owner_id or 0])]
    return Permitted(*(frozenset(key.pk for key in found) for found in (managed, givable, blockable, unblockable)))


def _may_manage(actor: Actor, key: APIKey, owners: Mapping[int, Held]) -> bool:
    if key.organization_id is not None:
        return _manages(actor, key, key.organization_id)
    try:
        if key.owner is not None:
            require_manage_person(actor, key.owner, owners[key.owner.pk].rights)
    except (DeniedError, NotFoundError):
        return False
    return True


def _may_block(actor: Actor, key: APIKey, owners: Mapping[int, Held]) -> bool:
    here = actor.organization_id
    if here is None or not is_persons(key) or here not in owners[key.owner_id or 0].rights:
        return False
    return actor.rights_in(here).allows("apikey.ctrl")


def _holds_here(actor: Actor, key: APIKey, given: Held) -> bool:
    try:
        require_holds_in(actor, key, actor.organization_id or 0, given)
    except DeniedError:
        return False
    return True


def is_persons(key: APIKey) -> bool:
    """Whether it is a person's key, which works in several organisations and which each can block for itself."""
    return key.owner is not None and key.organization_id is None


def require_block(actor: Actor, key: APIKey, organization: Organization) -> None:
    """Raise unless the actor may block and unblock this key, which it can see, in the organisation.

    NotFoundError where its owner is not in the organisation, DeniedError without `apikey.ctrl` there, InvalidError
    for a key that belongs to one organisation alone.
    """
    access.require(actor, "apikey.ctrl", organization.pk)
    if not is_persons(key) or key.owner is None:
        raise InvalidError("Only a person's key can be blocked, as it works elsewhere too. Pause or revoke this one.")
    if organization.pk not in queries.organization_ids_of(key.owner):
        raise NotFoundError("There is no such API key.")


def _manages(actor: Actor, key: APIKey, organization_id: int) -> bool:
    held = actor.rights_in(organization_id)
    return held.allows("apikey.ctrl") or (held.allows("apikey.own") and _may_as_own(actor, key))


def require_create(actor: Actor, organization: Organization | None, owner: User | None) -> None:
    """Raise DeniedError or NotFoundError unless the actor may make a key that belongs to these."""
    if organization is not None:
        own = owner is None or owner.pk == actor.user_id
        if own and actor.rights_in(organization.pk).allows("apikey.own"):
            return
        access.require(actor, "apikey.ctrl", organization.pk)
    elif owner is not None:
        require_manage_person(actor, owner)


def require_assign(actor: Actor, organization: Organization | None, owner: User) -> None:
    """Raise DeniedError or NotFoundError unless the actor may assign a key to a user, which has all their rights.

    `organization`: that of an API user. Taking the assigned key away needs only what `require_create` asks.
    """
    require_create(actor, organization, owner)
    assigned = APIKey(kind=KeyKind.USER, organization=organization, owner=owner, segmented=actor.segment)
    require_holds_all(actor, assigned)


def require_touch(actor: Actor, key: APIKey) -> None:
    """Raise NotFoundError for a key that does not exist for the actor, which is one with the flair [segment]."""
    if not actor.may_touch(key.created_by_key):
        raise NotFoundError("There is no such API key.")


def require_manage_person(actor: Actor, owner: User, homes: Collection[int] | None = None) -> None:
    """A person's key works in all their organisations: it is theirs, or for whoever manages keys in every one.

    `homes`: the ids of these organisations, where the caller knows them already.
    """
    held = actor.held  # whatever organisation the request means: the key works in all of them
    if actor.user_id == owner.pk:
        if not (held.allows("apikey.own") or held.allows("apikey.ctrl")):
            raise access.denied(actor, "apikey.own")
        return
    homes = queries.organization_ids_of(owner) if homes is None else homes
    if held.everywhere is None and not any(held.reaches(home) for home in homes):
        raise NotFoundError("There is no such user.")
    # An instance administrator's key works everywhere, so only who manages keys everywhere manages it.
    managed = held.allowing("apikey.ctrl")
    if managed is not None and (owner.is_instance_admin or not managed.issuperset(homes)):
        raise DeniedError(
            "apikey.ctrl", "A person's key can be managed only by whoever manages keys in all their organisations."
        )


def require_flairs(actor: Actor, organization_id: int | None, before: str, after: str) -> None:
    """A flair that does something is put on or taken off only by who manages keys, not by the own-keys right."""
    if effective_flairs(before) == effective_flairs(after):
        return
    if organization_id is not None:
        access.require(actor, "apikey.ctrl", organization_id)
        return
    if not actor.held.allows("apikey.ctrl"):
        raise DeniedError("apikey.ctrl")


def _holds_all(actor: Actor, key: APIKey, given: Held | None) -> bool:
    try:
        require_holds_all(actor, key, given)
    except DeniedError:
        return False
    return True


def require_holds_all(actor: Actor, key: APIKey, given: Held | None = None) -> None:
    """Raise DeniedError unless the actor holds all that the key gives at this moment, wherever it works.

    `given`: what the key's owner holds, where the caller knows it already.
    """
    if actor.segment and not key.is_segment:
        raise DeniedError("apikey.ctrl", SEGMENT_ONLY)
    if key.owner is None:
        access.require_holds(actor, key.permissions or (), key.organization_id or 0)
        return
    given, held = _to_hold(actor, key, key.owner, given), actor.held
    missing = [held.rights_in(oid).first_missing(rights.patterns) for oid, rights in given.rights.items()]
    if given.everywhere is not None:
        missing.append((held.everywhere or NOTHING).first_missing(given.everywhere.patterns))
    missing.append(held.instance.first_missing(given.instance.patterns))
    for pattern in missing:
        if pattern is not None:
            raise access.cannot_give(pattern)


def require_holds_in(actor: Actor, key: APIKey, organization_id: int, given: Held | None = None) -> None:
    """The same for what a person's key gives in one organisation."""
    if key.owner is not None:
        given = _to_hold(actor, key, key.owner, given)
        access.require_holds(actor, given.rights_in(organization_id).patterns, organization_id)


def _to_hold(actor: Actor, key: APIKey, owner: User, given: Held | None) -> Held:
    """What one must hold to give what a user's key gives."""
    if actor.kind is ActorKind.PERSON and actor.user_id == owner.pk:
        return HOLDS_NOTHING  # a person holds, by definition, what their own key gives
    if actor.limit is not None:
        _require_within(actor.limit, key.permissions)
    given = given or access.held_by(owner)
    if owner.kind == UserKind.API or actor.user_id == owner.pk:
        given = given.narrowed(key.permissions)  # for somebody else's person a list makes nothing smaller
    return given


def _require_within(limit: frozenset[str], wanted: Iterable[str] | None) -> None:
    """A key with a list of its own gives nothing beyond that list, also nothing that its owner may hold one day."""
    missing = "*" if wanted is None else Rights(limit).first_missing(wanted)
    if missing is not None:
        raise access.cannot_give(missing)


def is_own(actor: Actor, key: APIKey) -> bool:
    """Whether a key is the actor's own, which holds `apikey.own`: a user key of its user, or one that it has made."""
    if key.organization_id is not None and not actor.rights_in(key.organization_id).allows("apikey.own"):
        return False
    return actor.allows("apikey.own") and _may_as_own(actor, key)


def added(before: Iterable[str] | None, after: Iterable[str] | None) -> frozenset[str] | None:
    """The patterns that `after` allows and `before` does not; None when a limit was taken away altogether."""
    if before is None:
        return frozenset()
    if after is None:
        return None
    held = Rights(frozenset(before))
    return frozenset(pattern for pattern in after if not held.allows(pattern))


def _may_as_own(actor: Actor, key: APIKey) -> bool:
    if key.kind == KeyKind.USER:
        return key.owner_id is not None and key.owner_id == actor.user_id
    if actor.user_id is not None:
        return key.created_by_id == actor.user_id
    return actor.kind is ActorKind.KEY and key.created_by_key == actor.id
