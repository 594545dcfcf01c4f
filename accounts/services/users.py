"""People and API users."""

from collections.abc import Iterable
from typing import TypedDict

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts import access
from accounts.models import Group, Membership, Organization, User, UserKind
from accounts.services.common import clean_email, difference, locked, save
from accounts.services.groups import add_member
from accounts.services.organizations import add_membership
from keyadmin.activity import work
from keyadmin.activity.events import INSTANCE, EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS
from keyadmin.kernel.text import clean_line, clean_text

NAME_LENGTH, DESCRIPTION_LENGTH = 150, 2000
MISSING = "There is no such user."


class UserChanges(TypedDict, total=False):
    """The fields of an API user that can be edited; an absent one stays as it is."""

    name: str
    description: str
    contact_email: str


def create_api_user(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    description: str = "",
    contact_email: str = "",
    groups: Iterable[Group] = (),
) -> User:
    """Make a named service in an organisation and put it in groups. It can never sign in.

    Raises DeniedError, InvalidError, or ConflictError when the organisation has an API user of this name.
    """
    access.require(actor, "user.ctrl", organization.pk)
    user = User(
        kind=UserKind.API,
        name=clean_line("name", name, longest=NAME_LENGTH),
        description=clean_text("description", description, longest=DESCRIPTION_LENGTH),
        contact_email=clean_email("contact_email", contact_email, required=False),
        created_at=clock.now(),
    )
    with work.unit(actor) as unit:
        # One at a time for each organisation, so that two of the same name can't be made at once. NO KEY: a full lock
        # would hold up the foreign keys of others, checked at their COMMIT when they hold the chain: a deadlock.
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        _refuse_twin(organization, user)
        user.save(force_insert=True)
        unit.record(
            EventName.API_USER_CREATED,
            Target("user", user.pk, user.name),
            organizations=[organization.pk],
            after={"uid": str(user.uid), "name": user.name},
        )
        _admit(actor, organization, user, groups)
    return user


def edit_api_user(
    *,
    actor: Actor,
    organization: Organization,
    user: User,
    changes: UserChanges,
    expected_version: int | None = None,
) -> User:
    """Change name, description or contact address of an API user.

    Raises NotFoundError, DeniedError (`user.ctrl`), InvalidError, StaleError, ConflictError for a name that is taken.
    """
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        row = _locked_api_user(organization, user, expected_version)
        before = _facts(row)
        if "name" in changes:
            row.name = clean_line("name", changes["name"], longest=NAME_LENGTH)
            _refuse_twin(organization, row)
        if "description" in changes:
            row.description = clean_text("description", changes["description"], longest=DESCRIPTION_LENGTH)
        if "contact_email" in changes:
            row.contact_email = clean_email("contact_email", changes["contact_email"], required=False)
        old, new = difference(before, _facts(row))
        if new:
            save(row)
            unit.record(
                EventName.API_USER_UPDATED, _target(row), organizations=[organization.pk], before=old, after=new
            )
    return row


def disable_api_user(*, actor: Actor, organization: Organization, user: User) -> User:
    """Stop an API user and every key that belongs to it, until it is enabled. Idempotent.

    Raises NotFoundError, DeniedError (`user.ctrl`).
    """
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        row = _locked_api_user(organization, user, None)
        if row.is_active:
            row.is_active = False
            save(row)
            unit.record(EventName.API_USER_DISABLED, _target(row), organizations=[organization.pk])
        unit.changes_rights()
    return row


def enable_api_user(*, actor: Actor, organization: Organization, user: User) -> User:
    """Let a disabled API user work again. Its keys work again with it, so all its rights must be held. Idempotent.

    Raises NotFoundError, DeniedError.
    """
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        row = _locked_api_user(organization, user, None)
        if not row.is_active:
            access.require_holds(actor, access.held_by(row).rights_in(organization.pk).patterns, organization.pk)
            row.is_active = True
            save(row)
            unit.changes_rights()
            unit.record(EventName.API_USER_ENABLED, _target(row), organizations=[organization.pk])
    return row


def delete_api_user(*, actor: Actor, organization: Organization, user: User) -> None:
    """Remove an API user that has no key, not even a revoked one.

    Raises NotFoundError, DeniedError (`user.ctrl`), ConflictError (`in_use`) naming how many keys there are.
    """
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        row = _locked_api_user(organization, user, None)
        keys = row.api_keys.count()  # a relation of the room to the right
        if keys:
            raise ConflictError(f"{row.name} has API keys ({keys}): delete them first.", code="in_use")
        unit.record(EventName.API_USER_DELETED, _target(row), organizations=[organization.pk], before=_facts(row))
        unit.changes_rights()
        Membership.objects.filter(user=row).delete()
        row.delete()


def disable_person(*, actor: Actor, user: User) -> User:
    """Shut a person out of the whole instance, and stop all their keys. Idempotent.

    Raises DeniedError (`setting.ctrl`, of the instance), NotFoundError, ConflictError (`last_administrator`).
    """
    access.require_instance(actor, "setting.ctrl")
    with work.unit(actor) as unit:
        row = _locked_person(user)
        if row.is_active:
            _refuse_last_administrator(row)
            row.is_active = False
            save(row)
            unit.record(EventName.PERSON_DISABLED, _target(row), organizations=_homes(row))
        unit.changes_rights()
    return row


def enable_person(*, actor: Actor, user: User) -> User:
    """Let a disabled person in again. Idempotent. Raises DeniedError (`setting.ctrl`), NotFoundError."""
    access.require_instance(actor, "setting.ctrl")
    with work.unit(actor) as unit:
        row = _locked_person(user)
        if not row.is_active:
            _require_holds_all_of(actor, row)
            row.is_active = True
            save(row)
            unit.changes_rights()
            unit.record(EventName.PERSON_ENABLED, _target(row), organizations=_homes(row))
    return row


def set_instance_administrator(*, actor: Actor, user: User, wanted: bool) -> User:
    """Make a person an administrator of the whole instance, or no longer one. Idempotent.

    Raises DeniedError, NotFoundError, ConflictError (`last_administrator`).
    """
    for permission in sorted(INSTANCE_PERMISSIONS):
        access.require_instance(actor, permission)
    if actor.held.everywhere is None or not actor.held.everywhere.allows("*"):
        raise access.cannot_give("*")
    with work.unit(actor) as unit:
        row = _locked_person(user)
        if row.is_instance_admin is not wanted:
            if not wanted:
                _refuse_last_administrator(row)
            row.is_instance_admin = wanted
            save(row)
            unit.record(
                EventName.PERSON_UPDATED,
                _target(row),
                before={"is_instance_admin": not wanted},
                after={"is_instance_admin": wanted},
            )
        unit.changes_rights()
    return row


def edit_own_profile(*, actor: Actor, name: str) -> User:
    """Change one's own name. Raises NotFoundError for who is no person, InvalidError."""
    with work.unit(actor) as unit:
        row = locked(User.objects.filter(kind=UserKind.PERSON), actor.user_id or 0, missing=MISSING)
        before = row.name
        row.name = clean_line("name", name, longest=NAME_LENGTH)
        if row.name != before:
            save(row)
            unit.record(
                EventName.PERSON_UPDATED,
                _target(row),
                organizations=_homes(row),
                before={"name": before},
                after={"name": row.name},
            )
    return row


def hashed_password(password: str, *, name: str, email: str) -> str:
    """A person's password, checked against the rules and hashed with argon2. Slow: never inside a unit.

    Raises InvalidError with all that is wrong with it.
    """
    try:
        validate_password(password, User(kind=UserKind.PERSON, name=name, email=email))
    except ValidationError as error:
        raise InvalidError(error.messages[0], errors={"password": error.messages}) from None
    return make_password(password)


def create_instance_administrator(*, actor: Actor, name: str, email: str, encoded_password: str) -> User:
    """Make a person who has all rights everywhere. Raises DeniedError, InvalidError, ConflictError."""
    access.require_instance(actor, "setting.ctrl")
    with work.unit(actor) as unit:
        user = _create_person(unit, (), name, email, encoded_password, is_instance_admin=True)
    return user


def create_person(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    email: str,
    encoded_password: str,
    groups: Iterable[Group] = (),
) -> User:
    """Make a person who can sign in, take them into an organisation and put them in groups there.

    Raises DeniedError, InvalidError, NotFoundError, ConflictError for an e-mail address that somebody has.
    """
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        user = _create_person(unit, (INSTANCE, organization.pk), name, email, encoded_password)
        _admit(actor, organization, user, groups)
    return user


def _create_person(
    unit: work.Work, chains: Iterable[int], name: str, email: str, encoded_password: str, **more: bool
) -> User:
    user = User(
        kind=UserKind.PERSON,
        name=clean_line("name", name, longest=NAME_LENGTH),
        email=clean_email("email", email),
        password=encoded_password,
        created_at=clock.now(),
        **more,
    )
    if User.objects.filter(email=user.email).exists():
        raise ConflictError("There is a user with this e-mail address already.")
    user.save(force_insert=True)
    EmailAddress(user=user, email=user.email, verified=True, primary=True).save(force_insert=True)
    unit.record(
        EventName.PERSON_CREATED,
        Target("user", user.pk, user.name),
        organizations=chains,
        after={"uid": str(user.uid), "name": user.name, "email": user.email, **more},
    )
    return user


def _target(row: User) -> Target:
    return Target("user", row.pk, row.name)


def _facts(row: User) -> dict[str, object]:
    return {"name": row.name, "description": row.description, "contact_email": row.contact_email}


def _homes(row: User) -> list[int]:
    """The organisations that log what happens to a person; the instance where there is none."""
    rows = Membership.objects.filter(user=row).order_by("organization_id")
    return list(rows.values_list("organization_id", flat=True))


def _locked_api_user(organization: Organization, user: User, expected_version: int | None) -> User:
    rows = User.objects.filter(kind=UserKind.API, memberships__organization=organization)
    return locked(rows, user.pk, missing=MISSING, expected_version=expected_version)


def _locked_person(user: User) -> User:
    # All administrators in the order of their ids: two that remove each other can't both win.
    list(User.objects.select_for_update(no_key=True).filter(Q(is_instance_admin=True) | Q(pk=user.pk)).order_by("pk"))
    return locked(User.objects.filter(kind=UserKind.PERSON), user.pk, missing=MISSING)


def _refuse_last_administrator(row: User) -> None:
    others = User.objects.filter(is_instance_admin=True, is_active=True).exclude(pk=row.pk)
    if row.is_instance_admin and not others.exists():
        raise ConflictError(code="last_administrator")


def _require_holds_all_of(actor: Actor, row: User) -> None:
    """Raise DeniedError unless the actor holds all that the person does, wherever they do."""
    held = access.held_by(row)
    if row.is_instance_admin and (actor.held.everywhere is None or not actor.held.everywhere.allows("*")):
        raise access.cannot_give("*")
    for organization_id, rights in held.rights.items():
        access.require_holds(actor, rights.patterns, organization_id)


def _refuse_twin(organization: Organization, user: User) -> None:
    twins = User.objects.filter(memberships__organization=organization, kind=UserKind.API, name__iexact=user.name)
    if twins.exclude(pk=user.pk).exists():
        raise ConflictError("The organisation has an API user of this name already.")


def _admit(actor: Actor, organization: Organization, user: User, groups: Iterable[Group]) -> None:
    """Take a new user into the organisation and into groups of it."""
    add_membership(actor=actor, organization=organization, user=user)
    for group in groups:
        if group.organization_id != organization.pk:
            raise NotFoundError("There is no such group.")
        add_member(actor=actor, group=group, user=user)
