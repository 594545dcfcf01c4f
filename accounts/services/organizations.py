"""Organisations, what they demand of keys, and who is in them."""

from collections.abc import Iterable
from typing import TypedDict

from django.utils.text import slugify

from accounts import access
from accounts.models import Group, Invitation, KeyPolicy, Membership, Organization, User, UserKind
from accounts.models.organizations import LARGEST_IMPORTED_SECRET, LEAST_IMPORTED_SECRET, LONGEST_LIFE_DAYS
from accounts.services.common import clean_email, difference, locked, save
from accounts.services.groups import add_member, create_ready_groups
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError
from keyadmin.kernel.text import clean_line

NAME_LENGTH, SLUG_LENGTH = 150, 50
MISSING = "There is no such organisation."
SEEN_BY_OTHERS = "The key was there before its owner joined, and somebody else has seen its secret."


class OrganizationChanges(TypedDict, total=False):
    """The fields that can be edited; an absent one stays as it is."""

    name: str
    contact_email: str
    two_factor_required: bool


class KeyPolicyChanges(TypedDict, total=False):
    """The same for a key policy. Lives in days; None: no limit, and never. A rate limit such as `600/minute`."""

    longest_life_days: int | None
    default_life_days: int | None
    never_expiring_allowed: bool
    admin_keys_allowed: bool
    admin_networks_required: bool
    one_key_per_user: bool
    api_users_only: bool
    reason_required: bool
    shortest_imported_secret: int
    default_rate_limit: str | None


def create_organization(*, actor: Actor, name: str, slug: str = "") -> Organization:
    """Make an organisation with its ready groups.

    Without a slug one is made from the name, with a number behind it if it is taken.
    Raises DeniedError, InvalidError, or ConflictError for a slug that is taken.
    """
    access.require_instance(actor, "org.create")
    name = clean_line("name", name, longest=NAME_LENGTH)
    wanted = slug or slugify(name)[:SLUG_LENGTH].strip("-_") or "organisation"
    if slugify(wanted) != wanted or len(wanted) > SLUG_LENGTH:
        raise InvalidError.field("slug", "At most 50 lower-case letters, digits and hyphens.")
    with work.unit(actor) as unit:
        organization = Organization(
            name=name,
            slug=_free(wanted, exact=bool(slug)),
            created_at=clock.now(),
            created_by_key=actor.key_id,
        )
        organization.save(force_insert=True)
        KeyPolicy(organization=organization).save(force_insert=True)
        unit.record(
            EventName.ORGANIZATION_CREATED,
            Target("organization", organization.pk, organization.name),
            organizations=[organization.pk],
            after={"oid": str(organization.oid), "slug": organization.slug, "name": name},
        )
        # Whatever organisation the request meant, it was not this one.
        create_ready_groups(actor=actor.meaning(organization.pk), organization=organization)
    return organization


def edit_organization(
    *, actor: Actor, organization: Organization, changes: OrganizationChanges, expected_version: int | None = None
) -> Organization:
    """Change the name, the contact address, or whether members must sign in with a second factor.

    Raises NotFoundError, DeniedError (`org.ctrl`), InvalidError, StaleError.
    """
    access.require(actor, "org.ctrl", organization.pk)
    with work.unit(actor) as unit:
        row = locked(Organization.objects.all(), organization.pk, missing=MISSING, expected_version=expected_version)
        before = _facts(row)
        if "name" in changes:
            row.name = clean_line("name", changes["name"], longest=NAME_LENGTH)
        if "contact_email" in changes:
            row.contact_email = clean_email("contact_email", changes["contact_email"], required=False)
        row.two_factor_required = changes.get("two_factor_required", row.two_factor_required)
        old, new = difference(before, _facts(row))
        if new:
            save(row)
            unit.record(EventName.ORGANIZATION_UPDATED, _target(row), organizations=[row.pk], before=old, after=new)
    return row


def edit_key_policy(
    *, actor: Actor, organization: Organization, changes: KeyPolicyChanges, expected_version: int | None = None
) -> KeyPolicy:
    """Change what the organisation demands of keys. Keys that exist stay as they are; what is changed must comply.

    The default of the rate limit holds at once for every key that has none of its own.

    Raises NotFoundError, DeniedError (`org.ctrl`), InvalidError, StaleError.
    """
    access.require(actor, "org.ctrl", organization.pk)
    with work.unit(actor) as unit:
        row = locked(KeyPolicy.objects.all(), organization.pk, missing=MISSING, expected_version=expected_version)
        before = _demands(row)
        for name, value in changes.items():
            try:
                setattr(row, name, value)
            except ValueError as error:
                raise InvalidError.field(name, str(error)) from None
        _check_demands(row)
        old, new = difference(before, _demands(row))
        if "default_rate_limit" in changes:
            unit.changes_rights()
        if new:
            save(row)
            unit.record(
                EventName.KEY_POLICY_UPDATED,
                _target(organization),
                organizations=[organization.pk],
                before=old,
                after=new,
            )
    return row


def suspend_organization(*, actor: Actor, organization: Organization) -> Organization:
    """Stop all that works in the organisation, its keys and its pages, until it is resumed. Idempotent.

    Raises NotFoundError, DeniedError (`org.create`, for the whole instance).
    """
    access.require_instance(actor, "org.create")
    with work.unit(actor) as unit:
        row = locked(Organization.objects.all(), organization.pk, missing=MISSING)
        if row.suspended_at is None:
            row.suspended_at = clock.now()
            save(row)
            unit.record(EventName.ORGANIZATION_SUSPENDED, _target(row), organizations=[row.pk])
        unit.changes_rights()
    return row


def resume_organization(*, actor: Actor, organization: Organization) -> Organization:
    """Let a suspended organisation work again. Idempotent. Raises NotFoundError, DeniedError (`org.create`)."""
    access.require_instance(actor, "org.create")
    with work.unit(actor) as unit:
        row = locked(Organization.objects.all(), organization.pk, missing=MISSING)
        if row.suspended_at is not None:
            row.suspended_at = None
            save(row)
            unit.changes_rights()
            unit.record(EventName.ORGANIZATION_RESUMED, _target(row), organizations=[row.pk])
    return row


def add_membership(*, actor: Actor, organization: Organization, user: User) -> Membership:
    """Take a user into an organisation, without any group yet.

    Raises NotFoundError, DeniedError (`user.ctrl`), ConflictError for who is in it already.
    """
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        locked(Organization.objects.all(), organization.pk, missing=MISSING)
        if Membership.objects.filter(user=user, organization=organization).exists():
            raise ConflictError(f"{user.name} is in {organization.name} already.")
        membership = Membership(user=user, user_kind=user.kind, organization=organization, created_at=clock.now())
        membership.save(force_insert=True)
        unit.changes_rights()
        unit.record(
            EventName.MEMBERSHIP_CREATED,
            Target("user", user.pk, user.name),
            organizations=[organization.pk],
            after={"kind": user.kind},
        )
        _block_known_keys(actor, unit, organization, user)
    return membership


def admit(*, actor: Actor, organization: Organization, user: User, groups: Iterable[Group]) -> None:
    """Take a new user into an organisation and into groups of it.

    Raises NotFoundError, DeniedError (`user.ctrl`; `group.ctrl` and all that a group gives).
    """
    with work.unit(actor):
        add_membership(actor=actor, organization=organization, user=user)
        for group in groups:
            if group.organization_id != organization.pk:
                raise NotFoundError("There is no such group.")
            add_member(actor=actor, group=group, user=user)


def remove_membership(*, actor: Actor, organization: Organization, user: User) -> None:
    """Take a person out of an organisation and its groups; their user keys stop reaching it at once.

    Raises NotFoundError, DeniedError (`user.ctrl`), ConflictError for an API user, which has no other home.
    """
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        found = Membership.objects.select_for_update(no_key=True).filter(user=user, organization=organization).first()
        if found is None:
            raise NotFoundError("There is no such user.")
        if found.user_kind == UserKind.API:
            raise ConflictError("An API user belongs to its organisation: disable or delete it.", code="in_use")
        groups = sorted(found.groups.values_list("group__name", flat=True))
        unit.record(
            EventName.MEMBERSHIP_REMOVED,
            Target("user", user.pk, user.name),
            organizations=[organization.pk],
            before={"kind": user.kind, "groups": groups},
        )
        unit.changes_rights()
        withdraw_invitations_by(unit, user, [organization.pk])
        found.delete()


def withdraw_invitations_by(unit: work.Work, user: User, organization_ids: Iterable[int]) -> None:
    """Make the links worthless by which somebody who is shut out could come back, or let others in."""
    rows = Invitation.objects.select_for_update(no_key=True).filter(accepted_at=None, withdrawn_at=None)
    for row in rows.filter(created_by=user, organization_id__in=list(organization_ids)).order_by("pk"):
        row.withdrawn_at = clock.now()
        row.save(force_update=True)
        target = Target("invitation", row.pk, row.email)
        unit.record(EventName.INVITATION_WITHDRAWN, target, organizations=[row.organization_id])


def _block_known_keys(actor: Actor, unit: work.Work, organization: Organization, user: User) -> None:
    """Somebody else has seen the secrets of these keys: they must not bring whoever that is into the organisation.

    It is blocked there, as if the organisation had done so, and can be unblocked there.
    """
    # Relations of the room to the right.
    for key in user.api_keys.filter(kind="user", organization=None, revoked_at=None, secret_kept=False):
        _, new = key.blocks.get_or_create(
            organization=organization,
            defaults={"blocked_at": clock.now(), "blocked_by_label": actor.label, "reason": SEEN_BY_OTHERS},
        )
        if new:
            target = Target("api_key", key.pk, key.name)
            unit.record(EventName.API_KEY_BLOCKED, target, organizations=[organization.pk])


def _target(row: Organization) -> Target:
    return Target("organization", row.pk, row.name)


def _facts(row: Organization) -> dict[str, object]:
    return {
        "name": row.name,
        "contact_email": row.contact_email,
        "two_factor_required": row.two_factor_required,
    }


def _demands(row: KeyPolicy) -> dict[str, object]:
    return {name: getattr(row, name) for name in KeyPolicyChanges.__annotations__}


def _check_demands(row: KeyPolicy) -> None:
    """The same that the table's constraints say, in words. Raises InvalidError."""
    errors: dict[str, list[str]] = {}
    for name in ("longest_life_days", "default_life_days"):
        days: int | None = getattr(row, name)
        if days is not None and not 1 <= days <= LONGEST_LIFE_DAYS:
            errors[name] = [f"From 1 to {LONGEST_LIFE_DAYS} days."]
    longest, default = row.longest_life_days, row.default_life_days
    if longest is not None and default is not None and default > longest:
        errors.setdefault("default_life_days", []).append("The default life is longer than the longest life allowed.")
    if not LEAST_IMPORTED_SECRET <= row.shortest_imported_secret <= LARGEST_IMPORTED_SECRET:
        errors["shortest_imported_secret"] = [f"From {LEAST_IMPORTED_SECRET} to {LARGEST_IMPORTED_SECRET} characters."]
    if errors:
        raise InvalidError(next(iter(errors.values()))[0], errors=errors)


def _free(slug: str, *, exact: bool) -> str:
    taken = set(Organization.objects.filter(slug__startswith=slug[:40]).values_list("slug", flat=True))
    if slug not in taken:
        return slug
    if exact:
        raise ConflictError(f"The slug {slug} is taken.")
    return next(s for n in range(2, len(taken) + 3) if (s := f"{slug[:40]}-{n}") not in taken)
