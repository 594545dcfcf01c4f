"""The catalogue of permissions by its page: found by what needs it, counted by who holds it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import queries
from accounts.services.groups import add_member, create_group
from accounts.services.policies import create_policy
from tests.pages.managing import page
from tests.pages.reading import Page
from tests.world import OPERATOR, World, person

PERMISSIONS = "/o/acme/permissions/"


@pytest.fixture
def owner(world: World) -> Client:
    return world.client(person("Olga", world.acme, "Administrators"))


@pytest.fixture(autouse=True)
def billing(world: World) -> None:
    """The robot, with one key, may look at invoices."""
    made = create_policy(actor=OPERATOR, organization=world.acme, name="Billing", patterns=["view_invoice"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="Billing", policies=[made])
    add_member(actor=OPERATOR, group=group, user=world.robot)
    world.user_key(world.robot, name="Nightly")


@pytest.mark.parametrize(
    ("search", "label"),
    [("GET+/crm/customers", "View customers"), ("view_own_service", "View own services"), ("zzz", "")],
)
def test_permissions_are_found_by_endpoint_name_and_word(owner: Client, search: str, label: str) -> None:
    text = Page(owner.get(f"{PERMISSIONS}?search={search}")).text

    assert (label or "No permissions match these filters.") in text
    assert "Create payments" not in text


def test_who_holds_a_permission_is_counted_and_led_to(world: World, owner: Client) -> None:
    world.key("view_invoice", name="Of the organisation")
    world.key("*", name="Admin")
    text = page(owner, f"{PERMISSIONS}?search=view_invoice")
    assert ">2 people</a>" in text
    assert ">1 API user</a>" in text
    assert ">3 keys</a>" in text

    counted = Page(owner.get("/o/acme/keys/?can=view_invoice")).text
    assert "of 3 API keys" in counted
    assert "of 2 people" in Page(owner.get("/o/acme/settings/members/?can=view_invoice")).text
    assert "of 1 API user" in Page(owner.get("/o/acme/api-users/?can=view_invoice")).text


def test_the_counts_of_every_permission_are_those_of_the_lists(world: World, owner: Client, soak: bool) -> None:
    world.user_key(world.admin, name="Of Dana")
    world.user_key(world.developer, ["apikey.own"], name="Of Dev")
    world.key("apikey.*", name="Prefix")
    rows = list(queries.grantable_permissions())
    for row in rows if soak else rows[::4]:
        text = page(owner, f"{PERMISSIONS}?search={row.name}&page_size=100")
        for route, noun in (("keys", "key"), ("settings/members", ""), ("api-users", "API user")):
            total = Page(owner.get(f"/o/acme/{route}/?can={row.name}")).text
            shown = f'/o/acme/{route}/?can={row.name}">' in text
            assert shown == ("match these filters" not in total), (row.name, route, noun)


def test_the_list_of_permissions_costs_the_same_for_any_page_size(world: World, owner: Client) -> None:
    def cost(size: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(f"{PERMISSIONS}?page_size={size}").status_code == 200
        return len(captured)

    assert cost(25) == cost(100)


def test_an_instance_administrator_adds_permissions(world: World, owner: Client) -> None:
    client = world.client(world.admin)
    fields = {"name": "order.view", "label": "View orders", "resource": "Orders", "action": "view", "risk": "low"}

    text = Page(client.post(f"{PERMISSIONS}new/", {**fields, "tasks": "GET /orders\n\n"}, follow=True)).text
    assert "Permission order.view was created." in text
    assert "GET /orders" in text
    assert client.post(f"{PERMISSIONS}new/", fields).status_code == 422, "it exists"
    assert client.post(f"{PERMISSIONS}new/", {**fields, "name": "Not A Name"}).status_code == 422

    changed = {**fields, "label": "Look at orders"}
    assert "Look at orders" in Page(client.post(f"{PERMISSIONS}order.view/edit/", changed, follow=True)).text
    held = create_policy(actor=OPERATOR, organization=world.acme, name="Orders", patterns=["order.view"])
    assert "Policies name it: Orders" in client.post(f"{PERMISSIONS}order.view/delete/").content.decode()
    owner.post(f"/o/acme/policies/{held.pk}/delete/")
    assert "was deleted" in client.post(f"{PERMISSIONS}order.view/delete/", follow=True).content.decode()
    assert page(client, f"{PERMISSIONS}view_customer/edit/", 404), "comes with keyadmin"
    assert "permissions/new/" not in page(owner, PERMISSIONS)
