"""The first start: from an empty database to an administrator and an organisation."""

from accounts import queries
from accounts.models import Organization, User
from accounts.services.catalogue import load_pack
from accounts.services.groups import add_member
from accounts.services.organizations import NAME_LENGTH, add_membership, create_organization
from accounts.services.people import create_instance_administrator, hashed_password
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.instance import services as instance
from keyadmin.kernel.actor import SYSTEM, Actor
from keyadmin.kernel.errors import ConflictError, NotFoundError
from keyadmin.kernel.text import clean_line

FIRST_PACKS = ("builtin", "crm")


def load_first_packs() -> None:
    """Keep keyadmin's own permissions true; add the example pack while the catalogue is new."""
    fresh = not queries.permissions().exists()
    for pack in FIRST_PACKS if fresh else FIRST_PACKS[:1]:
        load_pack(actor=SYSTEM, name=pack)


def set_up(
    *, actor: Actor, organization: str, name: str, email: str, password: str, token: str | None = None
) -> tuple[User, Organization]:
    """Make the first administrator and the first organisation, both or neither; the set-up link dies with it.

    With a `token` (from the set-up page) it must be the link's. Raises ConflictError (`already_set_up`) once an
    administrator exists, NotFoundError for a wrong token, InvalidError for bad input.
    """
    organization = clean_line("organization", organization, longest=NAME_LENGTH)
    encoded = hashed_password(password, name=name, email=email)
    with work.unit(actor) as unit:
        instance.lock()
        if queries.administrator_exists():
            raise ConflictError(code="already_set_up")
        if token is not None and not instance.setup_token_fits(token):
            raise NotFoundError
        made = create_organization(actor=actor, name=organization)
        user = create_instance_administrator(actor=actor, name=name, email=email, encoded_password=encoded)
        add_membership(actor=actor, organization=made, user=user)
        add_member(actor=actor, group=queries.group_named(made, "Administrators"), user=user)
        instance.void_setup_token()
        unit.record(EventName.INSTANCE_SET_UP, Target("user", user.pk, user.name))
    return user, made
