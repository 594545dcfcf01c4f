"""Each role meets only pages that open and buttons that it may press; of another organisation it meets nothing."""

import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

import pytest
from django.db import transaction
from django.test import Client

from accounts import queries
from accounts.models import Organization
from accounts.services.api_users import create_api_user, disable_api_user
from accounts.services.groups import create_group
from accounts.services.invitations import invite
from accounts.services.policies import create_policy
from tests.pages.reading import Page
from tests.pages.test_open_every_page import assert_sound
from tests.servers import OURS
from tests.world import OPERATOR, World, person

SOAK = os.environ.get(OURS) == "1"
ROLES = ("manager", "auditor", "developer", *(("admin", "owner") if SOAK else ()))
MARK = "globexonly"
# Pages of other rooms and, for the instance administrator, the same pages once more.
ELSEWHERE = ("/docs/", "/sign-", "/api/", "/me/", "/static/", "/o/globex/")
EVERYBODYS = ("/theme/", "/sign-out/", "/me/session/")  # buttons of every page
MOST = 400
LED_TO = {
    "admin": (
        "/read-only/",
        "/groups/add/",
        "/policies/add/",
        "/key-policy/",
        "/invite/",
        "/instance/organizations/new/",
    ),
    "owner": ("/api-users/new/", "/members/add/", "/policies/new/", "/settings/members/"),
    "auditor": ("/policies/", "/settings/key-policy/", "/activity/"),
}


def furnish(organization: Organization, mark: str) -> None:
    """One of everything, named so that it is recognised elsewhere."""
    policy = create_policy(actor=OPERATOR, organization=organization, name=f"{mark} policy", patterns=["view_customer"])
    group = create_group(actor=OPERATOR, organization=organization, name=f"{mark} group", policies=[policy])
    create_api_user(actor=OPERATOR, organization=organization, name=f"{mark} service", groups=[group])
    off = create_api_user(actor=OPERATOR, organization=organization, name=f"{mark} sleeper")
    disable_api_user(actor=OPERATOR, organization=organization, user=off)
    invite(actor=OPERATOR, organization=organization, email=f"{mark}@example.org", groups=[group])
    person(f"{mark}-person", organization, "Readers")


@pytest.fixture
def furnished(world: World) -> World:
    furnish(world.acme, "acmeonly")
    furnish(world.globex, MARK)
    service = queries.visible_members(world.actor(world.admin)).get(user__name="acmeonly service").user
    world.user_key(service, name="acmeonly key")
    world.user_key(world.developer)
    world.key("view_customer", organization=world.globex, name=f"{MARK} key")
    world.key("view_customer")
    return world


def of_role(world: World, role: str) -> Any:
    """The person: `owner` is made here, the others are the world's."""
    return person("Olga", world.acme, "Administrators") if role == "owner" else getattr(world, role)


def kind(address: str) -> tuple[str, ...]:
    """What one address stands for: without the full numbers, one entry of the log and one filter for all of them."""
    if SOAK:
        return (address,)
    parts = urlsplit(address)
    return re.sub(r"/activity/\d+/", "/activity/1/", parts.path), *sorted(parse_qs(parts.query))


def crawl(client: Client, start: str) -> Iterator[tuple[str, Page, str]]:
    """Every page that can be reached by links, with the address that led there; POSTs are not sent."""
    waiting, seen = [(start, "")], {kind(start)}
    while waiting:
        assert len(seen) < MOST, "a trap"
        address, origin = waiting.pop()
        response = client.get(address)
        if response.status_code in (301, 302):
            continue
        assert response.status_code == 200, f"{address}, linked from {origin}, answers {response.status_code}"
        if address != start:  # its charts have titles of their own
            assert_sound(response)
        page = Page(response)
        yield address, page, response.content.decode()
        for link in page.all("a"):
            target = urljoin(address, urldefrag(link.get("href", ""))[0])
            # One page of a list, one sort, one filter stands for all.
            if urlsplit(target).query and urlsplit(target).path == urlsplit(address).path:
                continue
            if kind(target) not in seen and not target.startswith(ELSEWHERE) and target != "/":
                seen.add(kind(target))
                waiting.append((target, address))


def walk(client: Client) -> tuple[list[str], dict[str, str], str]:
    """The addresses that links lead to, the buttons there with the page of each, and all that the pages say."""
    reached, buttons, said = list[str](), dict[str, str](), ""
    for address, page, text in crawl(client, "/o/acme/"):
        reached.append(address)
        said += text if address.startswith("/o/acme/") else ""
        for form in page.all("form"):
            if form.get("method") == "post" and not form["action"].startswith(EVERYBODYS):
                buttons.setdefault(form["action"], address)
    for action, origin in sorted(buttons.items()):
        with transaction.atomic():
            status = client.post(action).status_code
            transaction.set_rollback(True)
        assert status in (200, 302, 303, 422), f"{action} on {origin} answers {status}"
    return reached, buttons, said.lower()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_meets_nothing_that_would_be_refused_and_nobody_elses_things(furnished: World, role: str) -> None:
    reached, buttons, said = walk(furnished.client(of_role(furnished, role)))

    assert MARK not in said
    assert role == "admin" or "globex" not in said
    assert role != "auditor" or not buttons, buttons
    for part in LED_TO.get(role, ()):
        assert any(part in address for address in reached), part


# What each right to manage shows when it is held alone: names that stand somewhere, and names that stand nowhere.
ALONE = {
    "group.ctrl": (("acmeonly group", "acmeonly policy"), ("acmeonly service", "acmeonly-person", "acmeonly key")),
    "policy.ctrl": (("acmeonly policy",), ("acmeonly group", "acmeonly service", "acmeonly-person", "acmeonly key")),
    "user.ctrl": (("acmeonly service", "acmeonly group"), ("acmeonly key",)),
    "org.ctrl": (("key-policy",), ("acmeonly",)),
    "apikey.ctrl": (("acmeonly key", "acmeonly service"), ("acmeonly-person", "dev@example.org")),
}


def test_one_right_alone_meets_nothing_that_would_be_refused_and_no_names_beyond_it(furnished: World) -> None:
    for right, (seen, hidden) in ALONE.items():
        policy = create_policy(actor=OPERATOR, organization=furnished.acme, name=right, patterns=[right])
        create_group(actor=OPERATOR, organization=furnished.acme, name=right, policies=[policy])
        name = right.replace(".", "-")
        reached, _, said = walk(furnished.client(person(name, furnished.acme, right)))

        assert len(reached) > 3, right
        assert not [name for name in seen if name not in said], right
        assert not [name for name in (*hidden, MARK) if name in said], right


def test_searches_previews_and_errors_find_nothing_of_another_organisation(furnished: World) -> None:
    client = furnished.client(of_role(furnished, "owner"))
    groups = {group.name: group for group in queries.visible_groups(OPERATOR)}
    policies = {policy.name: policy for policy in queries.visible_policies(OPERATOR)}
    members = {row.user.name: row.user for row in queries.visible_members(OPERATOR)}
    ours, theirs = groups["acmeonly group"], groups[f"{MARK} group"]

    for path in ("api-users", "groups", "policies", "settings/members", f"groups/{ours.pk}/members/add"):
        page = client.get(f"/o/acme/{path}/?search={MARK}").content.decode()
        assert not [end for end in (" ", "-", "@") if f"{MARK}{end}" in page], path

    for path in (
        f"groups/{theirs.pk}/",
        f"groups/{ours.pk}/policies/{policies[f'{MARK} policy'].pk}/remove/",
        f"groups/{ours.pk}/members/{members[f'{MARK} service'].pk}/remove/",
        f"policies/{policies[f'{MARK} policy'].pk}/edit/",
        f"api-users/{members[f'{MARK} service'].pk}/",
        f"settings/members/{members[f'{MARK}-person'].pk}/",
        f"api-users/{members['acmeonly service'].pk}/groups/{theirs.pk}/remove/",
    ):
        answer = client.get(f"/o/acme/{path}")
        assert answer.status_code == 404, path
        assert MARK not in answer.content.decode().lower()

    sent = client.post(f"/o/acme/groups/{ours.pk}/members/add/", {"users": [members[f"{MARK} service"].pk]})
    assert sent.status_code == 422
    assert MARK not in sent.content.decode().lower()
    assert not theirs.members.filter(membership__organization=furnished.acme).exists()
    sent = client.post(f"/o/acme/api-users/{members['acmeonly service'].pk}/groups/add/", {"groups": [theirs.pk]})
    assert sent.status_code == 422
    preview = f"/o/acme/policies/{policies['acmeonly policy'].pk}/edit/preview/"
    seen = client.post(
        preview, {"patterns": ["*"], "view": "rules", "subject": f"user-{members[f'{MARK} service'].pk}"}
    )
    assert MARK not in seen.content.decode().lower()
    assert "ka-standings" not in seen.content.decode()
