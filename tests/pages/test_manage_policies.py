"""Policies by their pages: rules in rows or as JSON, what a change does, versions."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Policy
from accounts.services.groups import add_member, create_group
from accounts.services.policies import create_policy
from tests.pages.managing import page
from tests.pages.reading import Page
from tests.world import OPERATOR, World, person

POLICIES = "/o/acme/policies/"


@pytest.fixture
def owner(world: World) -> Client:
    return world.client(person("Olga", world.acme, "Administrators"))


@pytest.fixture
def policy(world: World) -> Policy:
    """A policy of which the robot, with one key, has the rights."""
    made = create_policy(
        actor=OPERATOR, organization=world.acme, name="Billing", patterns=["view_customer", "view_invoice"]
    )
    group = create_group(actor=OPERATOR, organization=world.acme, name="Billing", policies=[made])
    add_member(actor=OPERATOR, group=group, user=world.robot)
    world.user_key(world.robot, name="Nightly")
    return made


def typed(*patterns: str, **fields: Any) -> dict[str, Any]:
    return {"name": "Billing", "description": "", "patterns": list(patterns), "view": "rules", "reason": "", **fields}


def test_a_policy_is_made_from_rows(owner: Client) -> None:
    answer = owner.post(f"{POLICIES}new/", typed("view_customer", "", "apikey.*", name="Looks"), follow=True)

    text = Page(answer).text
    assert "Policy Looks was created." in text
    assert "All that begins with apikey. , also" in text
    assert "View customers" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            typed("view_customer", "view_custmer"),
            "Rule 2: There is no permission view_custmer. Did you mean view_customer?",
        ),
        (typed("sitekey.ctrl"), "Rule 1: sitekey.ctrl holds for the whole instance"),
        (
            typed(view="source", source='[\n  "view_customer",\n  "nothing"\n]'),
            "Line 3: There is no permission",
        ),
        (typed(view="source", source='["view_customer",\nnope]'), "Line 2: "),
        (typed(view="source", source='{"a": 1}'), "Line 1: write a list of texts"),
        (typed(view="source", source="[" * 5000), "Line 1: "),
        (typed("view_customer", name=""), "Name is missing."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(owner: Client, fields: dict[str, Any], said: str) -> None:
    answer = owner.post(f"{POLICIES}new/", fields)

    assert answer.status_code == 422
    assert said in Page(answer).text


def test_rows_come_and_go_and_become_source_and_back_without_scripts(owner: Client) -> None:
    def step(do: str, *patterns: str, **fields: Any) -> tuple[Page, str]:
        answer = owner.post(f"{POLICIES}new/", typed(*patterns, do=do, **fields))
        assert answer.status_code == 200
        return Page(answer), answer.content.decode()

    def rows(found: Page) -> list[str]:
        fields = [one for one in found.all("input") if one.get("name") == "patterns"]
        return [one["value"] for one in fields if one["id"] != "rule-0"]  # which is what a script adds

    assert rows(step("add", "a", "b")[0]) == ["a", "b", ""]
    assert rows(step("remove-1", "a", "b")[0]) == ["b"]
    assert rows(step("remove-9", "a", "b")[0]) == ["a", "b"]
    assert "&quot;view_customer&quot;,\n  &quot;wrong&quot;" in step("source", "view_customer", "wrong")[1]
    assert rows(step("rules", view="source", source=json.dumps(["x", "y"]))[0]) == ["x", "y"]
    assert not Policy.objects.filter(name="Billing").exists(), "nothing was saved"
    broken = owner.post(f"{POLICIES}new/", typed(view="source", source="[", do="rules"))
    assert broken.status_code == 422
    assert "Line 1" in broken.content.decode()


def test_a_step_asked_by_a_script_is_answered_with_the_rules_alone(owner: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "rules"}
    answer = owner.post(f"{POLICIES}new/", typed("a", "b", do="rules"), headers=headers)

    assert "<html" not in answer.content.decode()
    assert answer.content.decode().count('name="patterns"') == 3, "two, and the one that the script adds"
    assert "rules-changed" in answer["HX-Trigger-After-Settle"]


def test_the_preview_says_who_gains_and_loses_what(world: World, owner: Client, policy: Policy) -> None:
    path = f"{POLICIES}{policy.pk}/edit/preview/"
    text = owner.post(path, typed("view_customer", "create_payment", subject=f"user-{world.robot.pk}")).content.decode()

    assert "1 user and 1 key lose" in text
    assert "1 user and 1 key gain" in text
    assert "View invoices" in text
    assert "Create payments" in text
    assert "Nightly" in text
    assert text.count(">Gained<") == 1
    assert text.count(">Lost<") == 1
    nothing = owner.post(path, typed("view_customer", "view_invoice")).content.decode()
    assert "It touches nobody" in nothing


def test_a_wrong_rule_is_named_and_the_rest_is_foretold(owner: Client, policy: Policy) -> None:
    path = f"{POLICIES}{policy.pk}/edit/preview/"
    text = owner.post(path, typed("view_custmer", "view_*", "create_payment")).content.decode()

    assert "Rule 1: There is no permission view_custmer. Did you mean view_customer?" in text
    assert "Rule 2: view_*: a prefix ends at a dot, such as apikey.*." in text
    assert "1 user and 1 key gain" in text
    assert "a reason is needed" in text
    broken = owner.post(path, typed(view="source", source="[")).content.decode()
    assert "Line 1: " in broken
    assert "lose" not in broken


def test_names_of_keys_in_the_preview_are_for_those_who_may_see_keys(world: World, policy: Policy) -> None:
    rights = create_policy(actor=OPERATOR, organization=world.acme, name="Desk", patterns=["policy.ctrl", "user.view"])
    create_group(actor=OPERATOR, organization=world.acme, name="Desk", policies=[rights])
    client = world.client(person("Lim", world.acme, "Desk"))

    text = client.post(f"{POLICIES}{policy.pk}/edit/preview/", typed("view_customer")).content.decode()
    assert "1 user and 1 key lose" in text
    assert "Nightly" not in text
    assert "Nightly" not in page(client, f"{POLICIES}{policy.pk}/edit/")


def test_a_change_that_touches_somebody_needs_a_reason(owner: Client, policy: Policy) -> None:
    path = f"{POLICIES}{policy.pk}/edit/"

    answer = owner.post(path, typed("view_customer", version=1))
    assert answer.status_code == 422
    assert "This touches 1 user and 1 key: say why." in answer.content.decode()
    policy.refresh_from_db()
    assert policy.version == 1

    text = Page(owner.post(path, typed("view_customer", version=1, reason="Audit finding 7"), follow=True)).text
    assert "Billing was changed: version 2." in text
    assert "Audit finding 7" in text
    assert "removed View invoices" in text


def test_a_change_of_its_name_alone_needs_none(owner: Client, policy: Policy) -> None:
    path = f"{POLICIES}{policy.pk}/edit/"
    changed = typed("view_customer", "view_invoice", name="Billing desk", version=1)

    assert "version 2" in Page(owner.post(path, changed, follow=True)).text


def test_a_key_loses_a_right_on_the_next_request(world: World, owner: Client, policy: Policy) -> None:
    secret = world.user_key(world.robot).secret
    caller = world.client(key=secret)
    assert caller.get("/crm/customers").status_code == 200

    owner.post(f"{POLICIES}{policy.pk}/edit/", typed("view_invoice", version=1, reason="x"))

    assert caller.get("/crm/customers").status_code == 403


def test_an_old_version_is_restored_by_an_edit(owner: Client, policy: Policy) -> None:
    path = f"{POLICIES}{policy.pk}/"
    owner.post(f"{path}edit/", typed("view_customer", version=1, reason="narrow"))
    assert f"{path}edit/?version=1" in page(owner, path)

    form = page(owner, f"{path}edit/?version=1")
    assert "Restore version 1 of <bdi>Billing</bdi></h1>" in form
    assert ">Restore</button>" in form
    assert 'value="view_invoice"' in form
    assert "1 user and 1 key gain" in form
    sent = typed("view_customer", "view_invoice", version=2, reason="back")
    assert "version 3" in Page(owner.post(f"{path}edit/?version=1", sent, follow=True)).text
    assert page(owner, f"{path}edit/?version=99", 404)


def test_somebody_elses_edit_is_not_overwritten(world: World, owner: Client, policy: Policy) -> None:
    path = f"{POLICIES}{policy.pk}/edit/"
    world.client(world.admin).post(path, typed("view_customer", version=1, reason="mine"))

    answer = owner.post(path, typed("view_invoice", version=1, reason="no, mine"))
    assert answer.status_code == 422
    assert "Dana" in answer.content.decode()
    policy.refresh_from_db()
    assert policy.patterns == ["view_customer"]


def test_what_one_does_not_hold_cannot_be_put_in(world: World, policy: Policy) -> None:
    rights = create_policy(actor=OPERATOR, organization=world.acme, name="Desk", patterns=["policy.ctrl"])
    create_group(actor=OPERATOR, organization=world.acme, name="Desk", policies=[rights])
    client = world.client(person("Lim", world.acme, "Desk"))
    sent = typed("view_customer", "view_invoice", "org.ctrl", version=1, reason="x")

    answer = client.post(f"{POLICIES}{policy.pk}/edit/", sent)
    assert answer.status_code == 422
    assert "org.ctrl is missing" in answer.content.decode()


def test_a_policy_in_use_is_not_deleted(world: World, owner: Client, policy: Policy) -> None:
    assert "delete/" not in page(owner, f"{POLICIES}{policy.pk}/")
    answer = owner.post(f"{POLICIES}{policy.pk}/delete/")
    assert answer.status_code == 422
    assert "Groups have this policy: Billing." in answer.content.decode()

    spare = create_policy(actor=OPERATOR, organization=world.acme, name="Spare", patterns=[])
    assert "was deleted" in owner.post(f"{POLICIES}{spare.pk}/delete/", follow=True).content.decode()


def test_a_longer_list_costs_no_more_queries(world: World, owner: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(f"{POLICIES}?page_size=100").status_code == 200
        return len(captured)

    few = cost()
    for at in range(20):
        create_policy(actor=OPERATOR, organization=world.acme, name=f"p{at}", patterns=["view_customer"])
    assert cost() == few


def test_a_new_policy_is_given_to_groups_from_its_page(world: World, owner: Client, policy: Policy) -> None:
    made = create_policy(actor=OPERATOR, organization=world.acme, name="Pay", patterns=["create_payment"])
    group = made.organization.groups.get(name="Billing")
    path = f"{POLICIES}{made.pk}/groups/add/"
    assert path in page(owner, f"{POLICIES}{made.pk}/")
    assert "Now: View customers and View invoices" in Page(owner.get(path)).text

    assert "Choose a group." in owner.post(path).content.decode()
    answer = Page(owner.post(path, {"groups": [str(group.pk)]}, follow=True))
    assert "Billing now has Pay." in answer.text
    assert "Can be deleted once no group has it." in answer.text
    assert {one.name for one in group.policies.all()} == {"Billing", "Pay"}


def test_nobody_gives_a_policy_that_gives_more_than_they_hold(world: World, policy: Policy) -> None:
    rights = create_policy(actor=OPERATOR, organization=world.acme, name="Desk", patterns=["group.ctrl", "policy.view"])
    desk = create_group(actor=OPERATOR, organization=world.acme, name="Desk", policies=[rights])
    client = world.client(person("Lim", world.acme, "Desk"))

    assert "groups/add/" not in page(client, f"{POLICIES}{policy.pk}/")
    answer = client.post(f"{POLICIES}{policy.pk}/groups/add/", {"groups": [str(desk.pk)]})
    assert answer.status_code == 422
    assert "is missing" in answer.content.decode()
    assert [one.name for one in desk.policies.all()] == ["Desk"]


def test_any_two_versions_are_compared(owner: Client, policy: Policy) -> None:
    path = f"{POLICIES}{policy.pk}/"
    assert "ka-compare" not in page(owner, path)
    owner.post(f"{path}edit/", typed("view_customer", version=1, reason="narrow"))
    owner.post(f"{path}edit/", typed("view_customer", "create_payment", version=2, reason="wider"))

    text = Page(owner.get(f"{path}?a=1&b=3")).text
    assert "added Create payments , removed View invoices" in text.partition("From version 1 to version 3: ")[2]
    assert "Versions 2 and 2 are the same." in Page(owner.get(f"{path}?a=2&b=2")).text
    assert "From version" not in Page(owner.get(f"{path}?a=1&b=x")).text
