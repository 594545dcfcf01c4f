"""People: who can sign in, and who has all rights."""

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts import access
from accounts.models import Group, Membership, Organization, User, UserKind
from accounts.services import sessions
from accounts.services.common import clean_email, locked, save
from accounts.services.organizations import admit, withdraw_invitations_by
from keyadmin.activity import work
from keyadmin.activity.events import INSTANCE, EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS
from keyadmin.kernel.text import clean_line

NAME_LENGTH = 150


def disable_person(*, actor: Actor, user: User) -> User:
    """Shut a person out of the whole instance, and stop all their keys. Idempotent.

    Raises DeniedError (`setting.ctrl`, of the instance), NotFoundError, ConflictError (`last_administrator`).
    """
    access.require_instance(actor, "setting.ctrl")
    with work.unit(actor) as unit:
        row = _locked(user)
        if row.is_active:
            _refuse_last_administrator(row)
            row.is_active = False
            save(row)
            sessions.forget(row)  # else they would be alive again with the person
            withdraw_invitations_by(unit, row, _homes(row))
            unit.record(EventName.PERSON_DISABLED, _target(row), organizations=_homes(row))
        unit.changes_rights()
    return row


def enable_person(*, actor: Actor, user: User) -> User:
    """Let a disabled person in again. Idempotent. Raises DeniedError (`setting.ctrl`), NotFoundError."""
    access.require_instance(actor, "setting.ctrl")
    with work.unit(actor) as unit:
        row = _locked(user)
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
    if not actor.held.is_everything:
        raise access.cannot_give("*")
    with work.unit(actor) as unit:
        row = _locked(user)
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
        row = locked(User.objects.filter(kind=UserKind.PERSON), actor.user_id or 0, missing="There is no such user.")
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
        user = _create(unit, (), name, email, encoded_password, is_instance_admin=True)
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
        user = _create(unit, (INSTANCE, organization.pk), name, email, encoded_password)
        admit(actor=actor, organization=organization, user=user, groups=groups)
    return user


def _target(row: User) -> Target:
    return Target("user", row.pk, row.name)


def _create(unit: work.Work, chains: Iterable[int], name: str, email: str, encoded_password: str, **more: bool) -> User:
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


def _homes(row: User) -> list[int]:
    """The organisations that log what happens to a person; the instance where there is none."""
    rows = Membership.objects.filter(user=row).order_by("organization_id")
    return list(rows.values_list("organization_id", flat=True))


def _locked(user: User) -> User:
    # All administrators in the order of their ids: two that remove each other can't both win.
    list(User.objects.select_for_update(no_key=True).filter(Q(is_instance_admin=True) | Q(pk=user.pk)).order_by("pk"))
    return locked(User.objects.filter(kind=UserKind.PERSON), user.pk, missing="There is no such user.")


def _refuse_last_administrator(row: User) -> None:
    others = User.objects.filter(is_instance_admin=True, is_active=True).exclude(pk=row.pk)
    if row.is_instance_admin and not others.exists():
        raise ConflictError(code="last_administrator")


def _require_holds_all_of(actor: Actor, row: User) -> None:
    """Raise DeniedError unless the actor holds all that the person does, wherever they do."""
    held = access.held_by(row)
    if row.is_instance_admin and not actor.held.is_everything:
        raise access.cannot_give("*")
    for organization_id, rights in held.rights.items():
        access.require_holds(actor, rights.patterns, organization_id)
