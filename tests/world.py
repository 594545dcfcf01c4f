"""A small world that every test can stand in: two organisations and the people that matter.

`acme` has an administrator of the instance, a key manager, an auditor, a developer and an API user; `globex` has a
stranger with all rights there. One line asks an access question: `world.client(world.auditor).get(...)`.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts import identity, queries
from accounts.models import Organization, User, UserKind
from accounts.services.api_users import create_api_user
from accounts.services.groups import add_member
from accounts.services.organizations import add_membership, create_organization
from accounts.services.setup import load_first_packs
from keyadmin.activity import work
from keyadmin.instance.services import bind_master_key
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor, operator
from keyadmin.keys import services
from keyadmin.keys.services import Issued
from tests.rows import remembered

PASSWORD = "correct horse battery"
_ENCODED = make_password(PASSWORD)
OPERATOR = operator()


@dataclass(frozen=True)
class World:
    acme: Organization
    globex: Organization
    admin: User
    manager: User
    auditor: User
    developer: User
    stranger: User
    robot: User  # the API user of acme, in Readers

    def actor(self, user: User) -> Actor:
        """The actor for a person, as the browser session makes it."""
        return identity.person(user, address="203.0.113.7", request_id="req_test")

    def client(
        self, user: User | None = None, *, key: str = "", headers: Mapping[str, str] | None = None, **options: Any
    ) -> Client:
        """A test client: signed in, carrying a key in X-API-KEY, or neither; `headers` go with each request."""
        client = Client(headers={**({"X-API-KEY": key} if key else {}), **(headers or {})}, **options)
        if user is not None:
            client.force_login(user)
            confirm(client, user)
        return client

    def key(self, *permissions: str, organization: Organization | None = None, **fields: Any) -> Issued:
        """An organisation key of acme (or another one), made by the operator."""
        fields = {"name": "Test key", **fields}
        return services.create_key(
            actor=OPERATOR, organization=organization or self.acme, permissions=permissions, **fields
        )

    def user_key(self, owner: User, permissions: Iterable[str] | None = None, **fields: Any) -> Issued:
        """A user key, made by the operator."""
        fields = {"name": "User key", **fields}
        return services.create_key(actor=OPERATOR, kind="user", owner=owner, permissions=permissions, **fields)


def confirm(client: Client, user: User, *, seconds_ago: float = 0) -> None:
    """Let a session look as if its person, in their organisation, had just signed in, or so many seconds ago."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - seconds_ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session["seen"] = int(time.time())
    session["organization"] = next(iter(queries.organization_ids_of(user)), None)
    session.save()


def build(master_fingerprint: str = "test") -> World:
    """Make the world in the database of the test."""

    def make() -> World:
        bind_master_key(master_fingerprint)
        with work.unit(OPERATOR):  # one transaction, so that the log is written once
            return _build()

    return remembered("world", make)


def _build() -> World:
    load_first_packs()
    acme = create_organization(actor=OPERATOR, name="Acme")
    globex = create_organization(actor=OPERATOR, name="Globex")
    return World(
        acme=acme,
        globex=globex,
        admin=person("Dana", acme, "Administrators", is_instance_admin=True),
        manager=person("Kim", acme, "Key managers"),
        auditor=person("Ari", acme, "Auditors"),
        developer=person("Dev", acme, "Developers"),
        stranger=person("Sam", globex, "Administrators"),
        robot=create_api_user(
            actor=OPERATOR, organization=acme, name="Robot", groups=[queries.group_named(acme, "Readers")]
        ),
    )


def person(name: str, organization: Organization, group: str = "", **fields: Any) -> User:
    """A person in an organisation, in one of its groups."""
    user = User.objects.create(
        kind=UserKind.PERSON,
        name=name,
        email=f"{name.lower()}@example.org",
        password=_ENCODED,
        created_at=clock.now(),
        **fields,
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    add_membership(actor=OPERATOR, organization=organization, user=user)
    if group:
        add_member(actor=OPERATOR, group=queries.group_named(organization, group), user=user)
    return user
