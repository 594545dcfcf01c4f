"""API users: named services that own keys and never sign in."""

from collections.abc import Iterable
from typing import TypedDict

from django.db.models import ProtectedError

from accounts import access
from accounts.models import Group, Membership, Organization, User, UserKind
from accounts.services.common import clean_email, difference, locked, save
from accounts.services.organizations import admit
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError
from keyadmin.kernel.text import clean_line, clean_text

NAME_LENGTH, DESCRIPTION_LENGTH = 150, 2000


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
        created_by_key=actor.key_id,
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
        admit(actor=actor, organization=organization, user=user, groups=groups)
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
        row = _locked(organization, user, expected_version)
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
        row = _locked(organization, user, None)
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
        row = _locked(organization, user, None)
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
        row = _locked(organization, user, None)
        keys = row.api_keys.count()  # a relation of the room to the right
        if keys:
            raise ConflictError(f"{row.name} has API keys ({keys}): delete them first.", code="in_use")
        unit.record(EventName.API_USER_DELETED, _target(row), organizations=[organization.pk], before=_facts(row))
        unit.changes_rights()
        Membership.objects.filter(user=row).delete()
        try:
            row.delete()
        except ProtectedError:
            message = f"{row.name} has made keys that are still there: delete them first, or disable {row.name}."
            raise ConflictError(message, code="in_use") from None


def _target(row: User) -> Target:
    return Target("user", row.pk, row.name)


def _facts(row: User) -> dict[str, object]:
    return {"name": row.name, "description": row.description, "contact_email": row.contact_email}


def _locked(organization: Organization, user: User, expected_version: int | None) -> User:
    rows = User.objects.filter(kind=UserKind.API, memberships__organization=organization)
    return locked(rows, user.pk, missing="There is no such user.", expected_version=expected_version)


def _refuse_twin(organization: Organization, user: User) -> None:
    twins = User.objects.filter(memberships__organization=organization, kind=UserKind.API, name__iexact=user.name)
    if twins.exclude(pk=user.pk).exists():
        raise ConflictError("The organisation has an API user of this name already.")
