"""What an actor may see of organisations, users and groups. What it may not see does not exist for it."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from allauth.core.internal.ratelimit import truncate_ip
from allauth.mfa.models import Authenticator
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Contains

from accounts import access
from accounts.models import Group, Invitation, Membership, Organization, Permission, Policy, PolicyVersion, User
from keyadmin.activity import queries as activity
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError, NotFoundError, ProblemError
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS, Rights, covering
from keyadmin.kernel.rates import Rate
from keyadmin.kernel.text import clean_line

M = TypeVar("M", bound=Model)

SLUG_LENGTH = 50
LONGEST_SEARCH = 200
BIGGEST_ID = 2**63 - 1
NO_SUCH_ORGANIZATION = -1
RECENT_SIGN_INS = 100
_SECOND_FACTORS = Authenticator.objects.filter(type__in=(Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN))
_HAS_SECOND_FACTOR = Exists(_SECOND_FACTORS.filter(user_id=OuterRef("user_id")))  # of a membership


def visible_organizations(actor: Actor) -> QuerySet[Organization]:
    """The organisations that the actor reaches, by name."""
    rows = Organization.objects.order_by("name", "pk")
    if actor.held.everywhere is None:
        rows = rows.filter(pk__in=[oid for oid in actor.held.rights if actor.held.reaches(oid)])
    if actor.organization_id is not None:
        rows = rows.filter(pk=actor.organization_id)
    return rows


def listed_organizations(actor: Actor) -> QuerySet[Organization]:
    """The same as they are shown: a key with the flair [segment] is told of its own and those that it created."""
    rows = visible_organizations(actor)
    return rows.filter(Q(pk__in=actor.held.rights) | Q(created_by_key=actor.key_id or 0)) if actor.segment else rows


def managed_organization(actor: Actor, reference: str) -> Organization:
    """The organisation with this oid or slug to look into or change; NotFoundError as `organization`.

    To a key with the flair [segment] also for one that it did not create, though it may work there.
    """
    found = organization(actor, reference)
    if not actor.may_touch(found.created_by_key):
        raise NotFoundError("There is no such organisation.")
    return found


def known_organizations(actor: Actor) -> QuerySet[Organization]:
    """The same, with those of a person's that are suspended: they can be named to their members, not opened."""
    rows = Organization.objects.order_by("name", "pk")
    return rows if actor.held.everywhere is not None else rows.filter(pk__in=actor.held.rights)


def organization(actor: Actor, reference: str) -> Organization:
    """The organisation with this oid or slug; NotFoundError if the actor does not reach it."""
    return _called(visible_organizations(actor), reference)


def organization_of_person(actor: Actor, reference: str) -> Organization:
    """The same for pages. Raises ProblemError (`pages_suspended`) to members of one that is suspended."""
    found = _called(known_organizations(actor), reference)
    if not actor.reaches(found.pk):
        raise ProblemError(
            f"{found.name} is suspended: its pages and keys are out of use. An instance administrator can resume it.",
            code="pages_suspended",
        )
    return found


def _called(rows: QuerySet[Organization], reference: str) -> Organization:
    oid = uuid_of(reference)
    return _one(rows.filter(oid=oid) if oid else rows.filter(slug=_slug(reference)), "There is no such organisation.")


def meaning_one(actor: Actor) -> Actor:
    """The actor with the one organisation that a change means. Raises InvalidError where it could mean several."""
    if actor.organization_id is not None:
        return actor
    reached = list(visible_organizations(actor).values_list("pk", flat=True)[:2])
    if len(reached) > 1:
        raise InvalidError.field(
            "organization", "This credential reaches several organisations: name one by X-Organization."
        )
    return actor.meaning(reached[0]) if reached else actor


def organization_meant(actor: Actor) -> tuple[Actor, Organization]:
    """The one organisation that a change means, and the actor limited to it. Raises InvalidError, NotFoundError."""
    actor = meaning_one(actor)
    found = visible_organizations(actor).first()
    if found is None or actor.organization_id is None:
        raise NotFoundError("There is no such organisation.")
    return actor, found


def organization_id(reference: str) -> int | None:
    """The id for an oid or slug, whoever asks: for the verifier, which decides itself what may be known."""
    oid = uuid_of(reference)
    rows = Organization.objects.filter(oid=oid) if oid else Organization.objects.filter(slug=_slug(reference))
    return rows.values_list("pk", flat=True).first()


def organization_id_meant(reference: str) -> int | None:
    """What a request means by naming an organisation: its id, -1 for one that does not exist, None for no name."""
    if not reference:
        return None
    found = organization_id(reference) if reference.isprintable() else None
    return NO_SUCH_ORGANIZATION if found is None else found


def id_meant_by(actor: Actor, reference: str | None, own: int | None = None) -> int:
    """The organisation that a question means: the one named, else `own`, else the actor's only one.

    -1: one that is not there for the actor. Raises InvalidError where it could be any of several.
    """
    if reference is not None:
        found = organization_id_meant(reference.strip().lower())
        return found if found is not None and actor.reaches(found) else NO_SUCH_ORGANIZATION
    found = own or meaning_one(actor).organization_id
    return NO_SUCH_ORGANIZATION if found is None else found


class Standing(NamedTuple):
    """What an organisation says about its keys; `default_rate` is for those without a limit of their own."""

    oid: str
    is_suspended: bool
    default_rate: Rate | None


def standing_of(organization_id: int) -> Standing | None:
    """The standing of an organisation, whoever asks; None if there is none."""
    found = Organization.objects.select_related("key_policy").filter(pk=organization_id).first()
    if found is None:
        return None
    return Standing(str(found.oid), found.suspended_at is not None, found.key_policy.default_rate)


def key_owner(actor: Actor, reference: str) -> User:
    """The user (id, uid or e-mail) to whom the actor may tie a key; NotFoundError for anybody else.

    That is the actor's own user, or a member of an organisation where the actor manages keys.
    """
    return _one(_referenced(reference).filter(_among(actor, "apikey.ctrl")), "There is no such user.")


def assignee(actor: Actor, reference: str) -> User:
    """The user (id, uid or e-mail) to whom a key is to be assigned, if the actor can see them.

    Whether it may be done is the service's question. Raises DeniedError for who can make no user a key, NotFoundError.
    """
    if not (actor.allows("apikey.ctrl") or actor.allows("apikey.own")):
        raise access.denied(actor, "apikey.ctrl")
    seen = _among(actor, "apikey.ctrl", "user.view", "user.ctrl")
    return _one(_referenced(reference).filter(seen), "There is no such user.")


def _among(actor: Actor, *permissions: str) -> Q:
    """The filter for the actor's own user and the members of where one of the permissions is held.

    Through a key with the flair [segment] only users that it created itself.
    """
    if actor.segment:
        return Q(created_by_key=actor.key_id or 0) & _among(replace(actor, segment=False), *permissions)
    reach: frozenset[int] = frozenset()
    for permission in permissions:
        held = actor.allowing(permission)
        if held is None:
            return Q()
        reach |= held
    return Q(pk=actor.user_id) | Q(pk__in=Membership.objects.filter(organization_id__in=reach).values("user_id"))


def referenced_user(actor: Actor, reference: str) -> User:
    """A user by id, uid or e-mail, for who sees every user. Raises DeniedError, NotFoundError."""
    access.require_instance(actor, "setting.ctrl")
    return _one(_referenced(reference), "There is no such user.")


def _referenced(reference: str) -> QuerySet[User]:
    text = reference.strip()
    if text.isascii() and text.isdigit() and len(text) < 19:
        return User.objects.filter(pk=int(text))
    uid = uuid_of(text)
    return User.objects.filter(uid=uid) if uid else User.objects.filter(email=text.lower())


def possible_key_owners(actor: Actor, organization: Organization) -> list[User]:
    """Whom the key form offers: the person themself, and the API users where the person manages keys."""
    mine = Q(pk=actor.user_id)
    if actor.rights_in(organization.pk).allows("apikey.ctrl"):
        mine |= Q(kind="api", is_active=True, memberships__organization=organization)
    return list(User.objects.filter(mine).distinct().order_by("-kind", "name")[:500])


def visible_members(actor: Actor) -> QuerySet[Membership]:
    """Who is in the organisations where the actor may see users, people and API users, by name."""
    rows = Membership.objects.select_related("user", "organization").prefetch_related("groups__group")
    return _seen(rows.order_by("user__name", "pk"), actor, "user", made="user__created_by_key")


def visible_member(actor: Actor, user_id: int, *, kind: str = "") -> Membership:
    """One member by the user's id, of the kind asked for. Raises NotFoundError."""
    rows = visible_members(actor).filter(**({"user_kind": kind} if kind else {}))
    return _one(rows.filter(user_id=_bounded(user_id)), "There is no such user.")


def visible_groups(actor: Actor) -> QuerySet[Group]:
    """The groups of the organisations where the actor may see groups, by name."""
    rows = Group.objects.select_related("organization").prefetch_related("policies").order_by("name", "pk")
    return _seen(rows, actor, "group")


def visible_group(actor: Actor, group_id: int) -> Group:
    """One group by id. Raises NotFoundError."""
    return _one(visible_groups(actor).filter(pk=_bounded(group_id)), "There is no such group.")


def members_of(group: Group, most: int) -> list[User]:
    """Who is in a group, by name; so many at most."""
    rows = User.objects.filter(memberships__groups__group=group)
    return list(rows.order_by("name", "pk")[:most])


def possible_member(actor: Actor, group: Group, user_id: int) -> User:
    """A user of the group's organisation, for who may say who is in the group. Raises DeniedError, NotFoundError."""
    access.require(actor, "group.ctrl", group.organization_id)
    rows = User.objects.filter(memberships__organization_id=group.organization_id, pk=_bounded(user_id))
    return _one(_touchable(rows, actor), "There is no such user.")


def chosen_groups(actor: Actor, organization: Organization, ids: Collection[int]) -> list[Group]:
    """The groups that somebody is to be put into. Raises DeniedError (`group.ctrl`), InvalidError naming an id."""
    if ids:
        access.require(actor, "group.ctrl", organization.pk)
    rows = Group.objects.filter(organization=organization, pk__in=ids).prefetch_related("policies")
    found = _touchable(rows, actor).in_bulk()
    return _chosen(found, ids, "groups", "group")


def chosen_policies(actor: Actor, organization: Organization, ids: Collection[int]) -> list[Policy]:
    """The policies that a group is to have. Raises DeniedError (`policy.view`), InvalidError naming an id."""
    if ids:
        access.require_view(actor, "policy", organization.pk)
    found = _touchable(Policy.objects.filter(organization=organization, pk__in=ids), actor).in_bulk()
    return _chosen(found, ids, "policies", "policy")


def _chosen(found: dict[int, M], ids: Collection[int], field: str, noun: str) -> list[M]:
    missing = next((pk for pk in ids if pk not in found), None)
    if missing is not None:
        raise InvalidError.field(field, f"There is no {noun} {missing}.")
    return list(found.values())


def visible_policies(actor: Actor) -> QuerySet[Policy]:
    """The policies of the organisations where the actor may see policies, by name."""
    return _seen(Policy.objects.select_related("organization").order_by("name", "pk"), actor, "policy")


def visible_policy(actor: Actor, policy_id: int) -> Policy:
    """One policy by id. Raises NotFoundError."""
    return _one(visible_policies(actor).filter(pk=_bounded(policy_id)), "There is no such policy.")


def policy_versions(actor: Actor, policy_id: int) -> QuerySet[PolicyVersion]:
    """All that a policy has been, the newest first. Raises NotFoundError for one that may not be seen."""
    return visible_policy(actor, policy_id).versions.order_by("-version")


def open_invitations(actor: Actor) -> QuerySet[Invitation]:
    """Invitations that have been neither accepted nor withdrawn, the newest first; those that ran out too."""
    rows = Invitation.objects.select_related("organization").prefetch_related("groups").order_by("-created_at", "-pk")
    return _seen(rows.filter(accepted_at=None, withdrawn_at=None), actor, "user")


def settings_of(actor: Actor, organization: Organization) -> Organization:
    """The organisation with its key policy, for who may read its settings. Raises DeniedError, NotFoundError."""
    access.require_view(actor, "org", organization.pk)
    if not actor.may_touch(organization.created_by_key):
        raise NotFoundError("There is no such organisation.")
    return Organization.objects.select_related("key_policy").get(pk=organization.pk)


def _seen(rows: QuerySet[M], actor: Actor, thing: str, made: str = "created_by_key") -> QuerySet[M]:
    """The rows of organisations where the actor holds `<thing>.view` or `.ctrl`. Raises DeniedError if that is nowhere.

    Whatever is asked for, so that nothing can be told from the refusal. `made` names what a key with the flair
    [segment] must have made: the column with the id of the key.
    """
    if not (actor.allows(f"{thing}.view") or actor.allows(f"{thing}.ctrl")):
        raise access.denied(actor, f"{thing}.view")
    rows = _touchable(rows, actor, made)
    viewing, managing = actor.allowing(f"{thing}.view"), actor.allowing(f"{thing}.ctrl")
    if viewing is None or managing is None:
        return rows
    return rows.filter(organization_id__in=viewing | managing)


def _touchable(rows: QuerySet[M], actor: Actor, made: str = "created_by_key") -> QuerySet[M]:
    """The rows that exist for the actor; for a key with the flair [segment] only what it created itself does."""
    return rows.filter(**{made: actor.key_id or 0}) if actor.segment else rows


def _one(rows: QuerySet[M], missing: str) -> M:
    found = rows.first()
    if found is None:
        raise NotFoundError(missing)
    return found


def _bounded(pk: int) -> int:
    """An id that every database can compare."""
    return pk if 0 < pk <= BIGGEST_ID else 0


def acting_user(actor: Actor) -> User | None:
    """The person who acts, or the owner of the user key that does."""
    return User.objects.filter(pk=actor.user_id).first() if actor.user_id is not None else None


def organization_ids_of(user: User) -> list[int]:
    """Ids of the organisations that the user is in, ascending."""
    return list(
        Membership.objects.filter(user=user).order_by("organization_id").values_list("organization_id", flat=True)
    )


def home_of(user: User) -> Organization:
    """The one organisation of an API user."""
    return Organization.objects.get(memberships__user=user)


def has_account(email: str) -> bool:
    """Whether a person has this e-mail address, written in lower case."""
    return User.objects.filter(email=email).exists()


def has_signed_in_from(email: str, address: str) -> bool:
    """Whether the person with this e-mail address has signed in from there of late; of IPv6 64 bits are compared."""
    user_id = User.objects.filter(email=email).values_list("pk", flat=True).first()
    known = activity.signed_in_from(user_id or 0, RECENT_SIGN_INS)
    return truncate_ip(address) in map(truncate_ip, known)


def person_with(email: str) -> User | None:
    """The person who has this e-mail address, in any letter case."""
    return User.objects.filter(email=email.strip().lower()).first()


def has_second_factor(user_id: int) -> bool:
    """Whether a person has an authenticator app or a passkey."""
    return bool(_SECOND_FACTORS.filter(user_id=user_id).exists())


def with_second_factor(rows: QuerySet[Membership]) -> QuerySet[Membership]:
    """The rows, each with `second_factor`: whether its person has one."""
    return rows.annotate(second_factor=_HAS_SECOND_FACTOR)


def lacking_second_factor(organization: Organization) -> int:
    """How many people of an organisation, not counting who is disabled, have no second factor."""
    rows = Membership.objects.filter(organization=organization, user_kind="person", user__is_active=True)
    return rows.exclude(_HAS_SECOND_FACTOR).count()


def has_app(user_id: int) -> bool:
    """Whether a person has an authenticator app."""
    return bool(Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.TOTP).exists())


def demanding_organization(actor: Actor) -> Organization | None:
    """An organisation of a person that demands a second factor, while they have none."""
    demanding = visible_organizations(actor).filter(two_factor_required=True).first()
    return None if demanding is None or has_second_factor(actor.user_id or 0) else demanding


class Source(NamedTuple):
    """What gives a user rights: a policy, by way of a group."""

    group: str
    policy: str
    rights: Rights

    @property
    def words(self) -> str:
        return f"group {self.group} → policy {self.policy}"


def sources(user: User, organization: Organization) -> list[Source]:
    """All that gives the user rights in the organisation, by name."""
    rows = Policy.objects.filter(
        organization=organization,
        groups__organization=organization,
        groups__members__membership__user=user,
        groups__members__membership__organization=organization,
    ).values_list("groups__name", "name", "patterns")
    found = {Source(group, policy, Rights(frozenset(patterns))) for group, policy, patterns in rows}
    return sorted(found, key=lambda source: source[:2])


def listing(column: str, patterns: Iterable[str]) -> Q:
    """The filter for rows whose list of patterns, in the JSON column, has one of these.

    By its text, as both databases can: a pattern holds no quotes, so in quotes it is an element of the list.
    """
    found = Q(pk__in=())
    for pattern in sorted(patterns):
        found |= Q(Contains(Cast(column, TextField()), f'"{pattern}"'))
    return found


def holders(permission: str, organization_id: int) -> QuerySet[User]:
    """The users who hold a permission in an organisation: by their groups, or as instance administrators."""
    policies = Policy.objects.filter(listing("patterns", covering(permission)), organization_id=organization_id)
    groups = Group.objects.filter(organization_id=organization_id, policies__in=policies)
    members = Membership.objects.filter(organization_id=organization_id, groups__group__in=groups)
    return User.objects.filter(Q(is_instance_admin=True) | Q(pk__in=members.values("user_id")))


def group_named(organization: Organization, name: str) -> Group:
    """The group with this name, letter case ignored; NotFoundError names the ones there are."""
    return _named(Group.objects.filter(organization=organization), name, "group")


def policy_named(organization: Organization, name: str) -> Policy:
    """The same for a policy."""
    return _named(Policy.objects.filter(organization=organization), name, "policy")


def _named(rows: QuerySet[M], name: str, noun: str) -> M:
    found = rows.filter(name__iexact=name.strip()).first()
    if found is None:
        names = ", ".join(rows.order_by("name").values_list("name", flat=True)[:50])
        raise NotFoundError(f"There is no {noun} of this name; there are {names or 'none'}.")
    return found


def matching(text: str, *fields: str) -> Q:
    """The filter for a search: one of the fields holds the text, letter case ignored.

    Raises InvalidError, without repeating it, for what is no line of text or looks like a whole key.
    """
    term = clean_line("search", text, longest=LONGEST_SEARCH, required=False)
    found = Q()
    for name in fields:
        found |= Q(**{f"{name}__icontains": term})
    return found


def permissions() -> QuerySet[Permission]:
    """The whole catalogue by name: public."""
    return Permission.objects.order_by("name")


def grantable_permissions() -> list[Permission]:
    """The catalogue without what holds for the whole instance, by resource."""
    return list(Permission.objects.exclude(name__in=INSTANCE_PERMISSIONS).order_by("resource", "action", "name"))


def administrator_exists() -> bool:
    """Whether the instance has been set up; a disabled administrator counts, or disabling one would open the door."""
    return User.objects.filter(is_instance_admin=True).exists()


def _slug(reference: str) -> str:
    """What may be a slug: a longer text, a key in the wrong place for one, reaches no statement and no server's log."""
    return reference if len(reference) <= SLUG_LENGTH else ""


def uuid_of(text: str) -> uuid.UUID | None:
    """The UUID that a text writes, or None."""
    try:
        return uuid.UUID(text) if len(text) in (32, 36) else None
    except ValueError:
        return None
