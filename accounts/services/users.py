from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts import access
from accounts.models import Group, Organization, User, UserKind
from accounts.services.groups import add_member
from accounts.services.organizations import add_membership
from keyadmin.activity import work
from keyadmin.activity.events import INSTANCE, EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError
from keyadmin.kernel.text import clean_line, clean_text

NAME_LENGTH, EMAIL_LENGTH, DESCRIPTION_LENGTH = 150, 254, 2000


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
        contact_email=clean_email("contact_email", contact_email) if contact_email else "",
        created_at=clock.now(),
    )
    with work.unit(actor) as unit:
        # One at a time for each organisation, so that two of the same name can't be made at once. NO KEY: a full lock
        # would hold up the foreign keys of others, checked at their COMMIT when they hold the chain: a deadlock.
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        twins = User.objects.filter(memberships__organization=organization, kind=UserKind.API, name__iexact=user.name)
        if twins.exists():
            raise ConflictError("The organisation has an API user of this name already.")
        user.save(force_insert=True)
        unit.record(
            EventName.API_USER_CREATED,
            Target("user", user.pk, user.name),
            organizations=[organization.pk],
            after={"uid": str(user.uid), "name": user.name},
        )
        _admit(actor, organization, user, groups)
    return user


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


def _admit(actor: Actor, organization: Organization, user: User, groups: Iterable[Group]) -> None:
    """Take a new user into the organisation and into groups of it."""
    add_membership(actor=actor, organization=organization, user=user)
    for group in groups:
        if group.organization_id != organization.pk:
            raise NotFoundError("There is no such group.")
        add_member(actor=actor, group=group, user=user)


def clean_email(field: str, value: str) -> str:
    """An e-mail address in lower case. Raises InvalidError."""
    text = clean_line(field, value, longest=EMAIL_LENGTH).lower()
    try:
        validate_email(text)
    except ValidationError:
        raise InvalidError.field(field, "This is not an e-mail address.") from None
    return text
