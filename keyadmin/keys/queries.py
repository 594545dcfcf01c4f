"""Which keys an actor may see, and how they are found. An invisible key does not exist for the actor."""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts import access
from accounts.access import held_by, held_by_each
from accounts.models import Membership, Organization, User
from accounts.queries import holders, listing, permissions, visible_organizations
from keyadmin.kernel import clock, tokens
from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.kernel.errors import DeniedError, InvalidError, NotFoundError
from keyadmin.kernel.patterns import Held, Rights, covering
from keyadmin.keys import policy, rights
from keyadmin.keys.models import APIKey, FormerTokenId, KeyBlock, KeyKind
from keyadmin.keys.status import WORKING, Status, status_sql
from keyadmin.prepared import Prepared
from keyadmin.usage.queries import Scope

SEEING = ("apikey.view", "apikey.ctrl", "apikey.own")
SHORTEST_PARTIAL_KEY = 4
MOST_CHOICES = 2000
BIGGEST_ID = 2**63 - 1
_blocks = Prepared(lambda: KeyBlock.objects.filter(key_id=0).values_list("organization_id"))
_MASKED_GIVEN = re.compile(r"(?:\.\.\.|…)([0-9A-Za-z._~-]{4})", re.ASCII)
_MASKED = re.compile(r"[a-z][a-z0-9]{0,15}_(?:live|test)_([0-9A-Za-z]{12})(?:\.\.\.|…)[0-9A-Za-z]{4}", re.ASCII)


def visible_keys(actor: Actor) -> QuerySet[APIKey]:
    """The keys that the actor may see: those of organisations where it may view them, and its own.

    Through a key with the flair [segment] only those of them that it created itself.
    A person's key belongs to no organisation and is seen in each that the person is in.
    Raises DeniedError for an actor that may see no key at all, whatever it asks for, so that nothing can be told
    from it.
    """
    if not any(map(actor.allows, SEEING)):
        raise access.denied(actor, "apikey.view")
    keys = APIKey.objects.select_related("organization", "owner", "created_by", "use")
    if actor.segment:
        keys = keys.filter(created_by_key=actor.key_id or 0)
    viewed = _either(actor.allowing("apikey.view"), actor.allowing("apikey.ctrl"))
    if viewed is None:
        return keys
    return keys.filter(_in_organizations(viewed) | _own(actor, actor.allowing("apikey.own")))


def may_look(actor: Actor, organization_id: int) -> bool:
    """Whether the actor may see some keys in the organisation: all, or its own."""
    return any(map(actor.rights_in(organization_id).allows, SEEING))


def visible_key(actor: Actor, key_id: int) -> APIKey:
    """One key by id. Raises NotFoundError."""
    found = visible_keys(actor).filter(pk=key_id).first() if 0 < key_id <= BIGGEST_ID else None
    if found is None:
        raise NotFoundError("There is no such API key.")
    return found


def counts(actor: Actor) -> dict[Status, int]:
    """How many visible keys there are of each status, in one query."""
    rows = visible_keys(actor).order_by().annotate(status_now=status_sql(clock.now())).values("status_now")
    found = dict(rows.annotate(number=Count("pk")).values_list("status_now", "number"))
    return {status: found.get(status.value, 0) for status in Status}


def next_to_expire(actor: Actor) -> APIKey | None:
    """The visible key that expires soonest of those that expire soon."""
    soon = visible_keys(actor).annotate(status_now=status_sql(clock.now())).filter(status_now=Status.EXPIRING_SOON)
    return soon.order_by("expires_at", "pk").first()


def owners_and_creators(actor: Actor) -> tuple[list[tuple[int, str]], list[str]]:
    """To whom visible keys belong (ids and names of users), and the names of those who made them, in one query."""
    rows = visible_keys(actor).order_by().values_list("owner_id", "owner__name", "created_by_label")
    found = list(rows.distinct()[:MOST_CHOICES])
    owners = {(pk, name) for pk, name, _ in found if pk is not None}
    creators = {label for _, _, label in found}
    return sorted(owners, key=lambda owner: owner[1].lower()), sorted(creators, key=str.lower)


def counts_by_owner(owner_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """How many keys of each of these users work, and how many there are, in one query; whoever may see them."""
    rows = APIKey.objects.filter(owner_id__in=list(owner_ids)).annotate(status_now=status_sql(clock.now()))
    works = Count("pk", filter=Q(status_now__in=WORKING))
    found = rows.order_by().values("owner_id").annotate(working=works, every=Count("pk"))
    return {row["owner_id"] or 0: (row["working"], row["every"]) for row in found}


def own_keys(actor: Actor) -> QuerySet[APIKey]:
    """The person's own user keys, whatever they may do; those of API users are not theirs."""
    return APIKey.objects.select_related("owner", "created_by", "use").filter(
        kind=KeyKind.USER, owner_id=actor.user_id or 0
    )


def homes_of_own_keys(actor: Actor) -> QuerySet[Organization]:
    """The organisations in which the actor may have keys of its own, by name."""
    rows = visible_organizations(actor)
    allowing = _either(actor.allowing("apikey.own"), actor.allowing("apikey.ctrl"))
    return rows if allowing is None else rows.filter(pk__in=allowing)


def of_owners(actor: Actor, owner_ids: Iterable[int]) -> QuerySet[APIKey]:
    """The visible keys of some users, the newest first; none for who may see no keys."""
    try:
        return visible_keys(actor).filter(owner_id__in=list(owner_ids)).order_by("-created_at", "-pk")
    except DeniedError:
        return APIKey.objects.none()


def why_no_key(actor: Actor, owner: User) -> str:
    """Why the actor, who manages keys, can't make an API user a key with all its rights; nothing if they can."""
    try:
        rights.require_holds_all(actor, APIKey(kind=KeyKind.USER, owner=owner))
    except DeniedError as error:
        return f"You do not hold {error.permission}, which this user has, so you can't create a key for it."
    return ""


def visible_names(actor: Actor, key_ids: Iterable[int], most: int) -> list[str]:
    """The names of the first of these keys that the actor may see; none for who may see no keys."""
    try:
        rows = visible_keys(actor).filter(pk__in=list(key_ids)).order_by("name", "pk")
    except DeniedError:
        return []
    return list(rows.values_list("name", flat=True)[:most])


def numbers_able_to(actor: Actor, organization: Organization, names: Iterable[str]) -> dict[str, int]:
    """For each permission, how many visible keys, revoked ones aside, give it in the organisation; see `able_to`.

    Three queries, however many permissions there are. Raises DeniedError.
    """
    rows = visible_keys(actor).filter(~blocked_by(organization), revoked_at=None).order_by()
    kinds = list(rows.values_list("kind", "permissions", "owner_id").annotate(number=Count("pk")))
    owners = held_by_each(User.objects.filter(pk__in={owner for _, _, owner, _ in kinds if owner is not None}))
    powers = []
    for kind, listed, owner, number in kinds:
        by_user = kind == KeyKind.USER and owner is not None
        rights = owners[owner].narrowed(listed).rights_in(organization.pk) if by_user else Rights(frozenset(listed))
        powers.append((rights, number))
    return {name: sum(number for rights, number in powers if rights.allows(name)) for name in names}


def admin_keys() -> Q:
    """The filter for keys of an organisation that may do everything there."""
    return Q(kind=KeyKind.ORGANIZATION) & listing("permissions", ["*"])


def able_to(permission: str, organization: Organization) -> Q:
    """The filter for keys that give a permission in the organisation at this moment.

    An organisation's key by its own list; a user's key by what the user holds, and its own list if it has one.
    """
    listed = listing("permissions", covering(permission))
    held = Q(kind=KeyKind.USER, owner__in=holders(permission, organization.pk)) & ~blocked_by(organization)
    return Q(kind=KeyKind.ORGANIZATION) & listed | held & (Q(permissions__isnull=True) | listed)


def blocked_by(organization: Organization) -> Q:
    """The filter for keys that the organisation has blocked."""
    return Q(Exists(KeyBlock.objects.filter(key=OuterRef("pk"), organization=organization)))


class Rule(Enum):
    """What a key can break of a key policy."""

    LONGER_LIFE = auto()
    NO_EXPIRY_DATE = auto()
    ADMIN = auto()
    ADMIN_FROM_ANYWHERE = auto()
    OF_A_PERSON = auto()


class Breach(NamedTuple):
    """How many keys do not comply with one rule; `latest` is the last moment at which they might expire, if any."""

    rule: Rule
    number: int
    latest: datetime | None


def breaches(actor: Actor, organization: Organization) -> list[Breach]:
    """Which rules of the organisation's key policy visible keys break, revoked ones aside; none for who sees no keys.

    Two queries. What can't be known, such as how long a secret was, is left out, and so is who has several keys.
    """
    demands, latest = policy.demands_on(organization.pk, None), None
    admin, broken = admin_keys(), dict[Rule, Q]()
    if demands.longest_life_days is not None:
        latest = policy.last_moment(clock.now(), demands.longest_life_days)
        broken[Rule.LONGER_LIFE] = Q(expires_at__gt=latest)
    if demands.longest_life_days is not None or not demands.never_expiring_allowed:
        broken[Rule.NO_EXPIRY_DATE] = Q(expires_at=None)
    if not demands.admin_keys_allowed:
        broken[Rule.ADMIN] = admin
    elif demands.admin_networks_required:
        broken[Rule.ADMIN_FROM_ANYWHERE] = admin & Q(allowed_networks=[])
    if demands.api_users_only:
        broken[Rule.OF_A_PERSON] = Q(kind=KeyKind.USER, organization=None)
    try:
        rows = visible_keys(actor).filter(revoked_at=None).order_by()
    except DeniedError:
        return []
    numbers = rows.aggregate(**{rule.name: Count("pk", filter=found) for rule, found in broken.items()})
    return [Breach(rule, numbers[rule.name], latest) for rule in broken if numbers[rule.name]]


def used(when: str) -> Q:
    """The filter for keys that were used within so many days (`30d`), not for so many (`not_30d`), or `never`."""
    if when == "never":
        return Q(use=None)
    moment = clock.now() - timedelta(days=int(when.removeprefix("not_").removesuffix("d")))
    return ~Q(use__time__gte=moment) if when.startswith("not_") else Q(use__time__gte=moment)


def number_used(actor: Actor, days: int) -> int:
    """How many of the visible keys were used within so many days, as of a minute or so ago."""
    return visible_keys(actor).filter(used(f"{days}d")).count()


def flaired(flair: str) -> Q:
    """The filter for keys with this flair in their names."""
    return Q(name__regex=rf"\[\s*{re.escape(flair.strip())}\s*\]")


class Generation(NamedTuple):
    """One secret that a key has or had; `until` is empty while it is good. No token id: it was made elsewhere."""

    token_id: str | None
    since: datetime
    until: datetime | None


def assigned_key(keys: QuerySet[APIKey], owner: User) -> APIKey | None:
    """The one among these keys that is assigned to a user; if all such are revoked, the one that was last."""
    rows = keys.filter(owner=owner, assigned=True).select_related("organization", "owner", "created_by")
    return rows.order_by(F("revoked_at").desc(nulls_first=True), "-pk").first()


def lineage(key: APIKey) -> list[Generation]:
    """The secrets of a key by their token ids, the present one first."""
    found, since = [], key.created_at
    for former in key.former_token_ids.order_by("replaced_at", "pk"):
        found.append(Generation(former.token_id, since, former.replaced_at))
        since = former.replaced_at
    return [Generation(key.token_id, since, key.revoked_at), *reversed(found)]


def has_namesake(actor: Actor, name: str, besides: int = 0) -> bool:
    """Whether a visible key, revoked ones aside, has this name, letter case ignored; `besides` is the key itself."""
    return visible_keys(actor).filter(name__iexact=name, revoked_at=None).exclude(pk=besides).exists()


def number_of_admin_keys(actor: Actor, organization: Organization) -> int:
    """How many visible keys of the organisation have all permissions; revoked ones don't count."""
    return visible_keys(actor).filter(organization=organization, permissions=["*"], revoked_at=None).count()


def held_through(key: APIKey, owner: User) -> Held:
    """What a user's key gives at this moment, by organisation; nothing where an organisation has blocked it.

    Two queries for a person's key, one for an API user's; one more for a blocked key of an instance administrator.
    """
    held = held_by(owner).narrowed(key.permissions)
    blocked = blocking(key)
    every = Organization.objects.values_list("pk", flat=True) if blocked and held.everywhere else ()
    return held.blocked_in(blocked, every)


def blocking(key: APIKey) -> frozenset[int]:
    """Ids of the organisations that have blocked the key. No query for a key that no organisation can block."""
    if key.organization_id is not None or key.pk is None:
        return frozenset()
    return frozenset(organization_id for (organization_id,) in _blocks.all(key.pk))


def blocks(keys: Iterable[APIKey], organization_ids: Collection[int]) -> dict[tuple[int, int], KeyBlock]:
    """Which of the keys are blocked in these organisations, by ids of key and organisation; one query at most."""
    persons = [key.pk for key in keys if key.organization_id is None]
    rows = KeyBlock.objects.filter(key_id__in=persons, organization_id__in=organization_ids) if persons else ()
    return {(row.key_id, row.organization_id): row for row in rows}


def stops_of(key: APIKey, blocked_in: str = "") -> list[str]:
    """What stands beside the status of a key that does not work here whatever its status says, one tag each.

    `blocked_in`: the name of the organisation, if it has blocked the key.
    """
    if key.revoked_at is not None:
        return []
    disabled = key.owner is not None and not key.owner.is_active
    return [*([f"Blocked in {blocked_in}"] if blocked_in else []), *(["Owner disabled"] if disabled else [])]


def with_stops(keys: Iterable[APIKey], here: Organization) -> list[tuple[APIKey, list[str]]]:
    """Each of the keys with these tags. One query at most."""
    every = list(keys)
    blocked = blocks(every, [here.pk])
    return [(key, stops_of(key, here.name if (key.pk, here.pk) in blocked else "")) for key in every]


def effective(key: APIKey, organization: Organization) -> list[str]:
    """What the key may do in the organisation at this moment."""
    return effective_in(key, [organization])[0]


def effective_in(key: APIKey, organizations: Iterable[Organization]) -> list[list[str]]:
    """The same for each of several; no more queries than for one."""
    if key.owner is None:
        return [sorted(key.permissions or ()) for _ in organizations]
    held = held_through(key, key.owner)
    return [sorted(held.rights_in(one.pk).patterns) for one in organizations]


def readable(held: Rights) -> list[str]:
    """The catalogue's viewing permissions among these rights."""
    names = permissions().filter(action="view").values_list("name", flat=True)
    return [name for name in names if held.allows(name)]


def usage_scope(actor: Actor) -> Scope:
    """Of which requests the actor may know. Raises DeniedError for an actor that may know of none.

    Through a key with the flair [segment]: those of this key and of the keys that it created, and none without a key.
    """
    viewed = actor.allowing("usage.view")
    own = _own(actor, actor.allowing("apikey.own")) if actor.allows("apikey.own") else None
    if viewed is not None and not viewed and own is None:
        raise access.denied(actor, "usage.view")
    if actor.segment:
        return Scope(key_ids=_of_segment(actor, viewed, own))
    if viewed is None or own is None:
        return Scope(viewed)
    return Scope(viewed, frozenset(APIKey.objects.filter(own).values_list("pk", flat=True)[:MOST_CHOICES]))


def _of_segment(actor: Actor, viewed: frozenset[int] | None, own: Q | None) -> frozenset[int]:
    """The key that acts, and those of the keys it created whose usage it may view, or that are its own."""
    created = APIKey.objects.filter(created_by_key=actor.key_id or 0).order_by("-pk")
    if viewed is not None:
        created = created.filter(_in_organizations(viewed) | (own if own is not None else Q(pk__in=())))
    return frozenset({actor.key_id or 0, *created.values_list("pk", flat=True)[:MOST_CHOICES]})


def usage_of(actor: Actor, key: APIKey) -> Scope:
    """The same for one key that the actor can see: its own in whole, any other's where it may view usage.

    Raises DeniedError where it may not: for an organisation's key in that organisation.
    """
    if rights.is_own(actor, key):
        return Scope(key_ids=frozenset({key.pk}))
    viewed = actor.allowing("usage.view")
    if key.organization_id is not None:
        access.require(actor, "usage.view", key.organization_id)
    elif viewed is not None and not viewed:
        raise access.denied(actor, "usage.view")
    return Scope(viewed)


def acting_key(actor: Actor) -> APIKey | None:
    """The key through which the actor acts, whether or not it may see keys."""
    return APIKey.objects.filter(pk=actor.id or 0).first() if actor.kind is ActorKind.KEY else None


def referenced_key(actor: Actor, reference: str) -> APIKey:
    """One key by id, token id (current or former) or masked form. Raises NotFoundError."""
    text = reference.strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        return visible_key(actor, int(text))
    refuse_whole_key(text, field="key")
    masked, given = _MASKED.fullmatch(text), _MASKED_GIVEN.fullmatch(text)
    if given:
        found = list(visible_keys(actor).filter(token_id=None, tail=given.group(1))[:2])
        if len(found) > 1:
            raise InvalidError.field("key", "Several API keys end like this: name one by its id.")
    else:
        token_id = masked.group(1) if masked else text
        found = list(visible_keys(actor).filter(Q(token_id=token_id) | Q(former_token_ids__token_id=token_id))[:1])
    if not found:
        raise NotFoundError("There is no such API key.")
    return found[0]


def matching(term: str) -> Q:
    """The filter for a search by name, description, or at least four characters of a token id or of the last four.

    Raises InvalidError, without repeating the term, for what looks like a whole key.
    """
    text = term.strip()
    refuse_whole_key(text, field="search")
    found = Q(name__icontains=text) | Q(description__icontains=text)
    masked = _MASKED.fullmatch(text)
    part = masked.group(1) if masked else text.rsplit("_", 1)[-1].strip(".…")
    if len(part) >= SHORTEST_PARTIAL_KEY and part.isascii() and part.isalnum():
        former = FormerTokenId.objects.filter(Q(token_id__icontains=part) | Q(tail=part), key=OuterRef("pk"))
        found |= Q(token_id__icontains=part) | Q(tail=part) | Q(Exists(former))
    given = _MASKED_GIVEN.fullmatch(text)
    if given:
        found |= Q(token_id=None, tail=given.group(1))
    return found


def refuse_whole_key(text: str, *, field: str) -> None:
    """Raise InvalidError if the text holds a complete key: it belongs in no search, address or log."""
    if tokens.looks_like_key(text):
        raise InvalidError.field(
            field, "That looks like a complete API key. It was not stored. Use its id, token id or masked form."
        )


def _either(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    return None if one is None or other is None else one | other


def _in_organizations(ids: frozenset[int]) -> Q:
    members = Membership.objects.filter(organization_id__in=ids).values("user_id")
    return Q(organization_id__in=ids) | Q(organization=None, owner_id__in=members)


def _own(actor: Actor, organizations: frozenset[int] | None) -> Q:
    """What `apikey.own` shows: one's user keys, and the organisation keys that one created."""
    if organizations is not None and not organizations:
        return Q(pk__in=())
    created = Q(created_by_key=actor.id) if actor.kind is ActorKind.KEY and actor.user_id is None else Q(pk__in=())
    if actor.user_id is not None:
        created |= Q(created_by_id=actor.user_id)
    if organizations is not None:
        created &= Q(organization_id__in=organizations)
    return created & Q(kind="organization") | Q(kind="user", owner_id=actor.user_id or 0)
