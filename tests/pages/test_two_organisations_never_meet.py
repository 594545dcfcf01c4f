"""R22 by page: two organisations full of the same names; whoever is in one learns nothing of the other."""

import re
from dataclasses import dataclass
from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Organization
from accounts.services.api_users import create_api_user
from accounts.services.groups import create_group
from accounts.services.invitations import invite
from accounts.services.policies import create_policy
from tests.pages.managing import fields
from tests.world import OPERATOR, World, person

NONE = 999_999
LISTS = ("keys", "api-users", "groups", "policies", "settings/members")
PAGES = (
    *("", "activity/", "permissions/", "settings/", "settings/key-policy/"),
    *(f"{name}/" for name in LISTS),
    *(f"{name}/?search=twin" for name in LISTS),
    *("keys/?status=all&kind=user", "keys/?can=view_customer", "api-users/?can=view_customer"),
    *("keys/new/", "api-users/new/", "groups/new/", "policies/new/", "settings/members/invite/"),
)
# What differs from one answer to the next, whoever asks for what.
TOKENS = (
    re.compile(rb'(?<=name="csrfmiddlewaretoken" value=")\w+'),
    re.compile(rb'(?<="X-CSRFToken": ")\w+'),
    re.compile(rb'(?<=name="nonce" value=")\w+'),
)


@dataclass(frozen=True)
class Side:
    """One organisation, somebody with all rights in it alone, and the ids of its things by their kind."""

    organization: Organization
    client: Client
    mark: str
    ids: dict[str, int]

    def get(self, path: str, *, slug: str = "", method: str = "GET", body: Any = None) -> HttpResponse:
        address = f"/o/{slug or self.organization.slug}/{path}"
        answer: Any = self.client.post(address, body) if method == "POST" else self.client.get(address)
        return cast(HttpResponse, answer)


def furnish(world: World, organization: Organization, mark: str, name: str = "Twin") -> dict[str, int]:
    """One of everything, named alike in each organisation; only descriptions and the person tell them apart."""
    said: dict[str, Any] = {"actor": OPERATOR, "organization": organization, "description": mark}
    policy = create_policy(**said, name=f"{name} policy", patterns=["view_customer"])
    group = create_group(**said, name=f"{name} group", policies=[policy])
    service = create_api_user(**said, name=f"{name} service", groups=[group])
    member = person(f"{name}-{mark}", organization, f"{name} group")
    invited, _ = invite(actor=OPERATOR, organization=organization, email=f"{name}@example.org", groups=[group])
    return {
        "policy": policy.pk,
        "group": group.pk,
        "service": service.pk,
        "member": member.pk,
        "invitation": invited.pk,
        "key": world.key("view_customer", organization=organization, name=f"{name} key", description=mark).key.pk,
        "user key": world.user_key(service, name=f"{name} user key").key.pk,
    }


@pytest.fixture
def sides(world: World) -> tuple[Side, Side]:
    found = []
    for organization, user in (
        (world.acme, person("Olga", world.acme, "Administrators")),
        (world.globex, world.stranger),
    ):
        mark = f"only{organization.slug}"
        found.append(Side(organization, world.client(user), mark, furnish(world, organization, mark)))
    return found[0], found[1]


def plain(response: HttpResponse) -> tuple[int, bytes]:
    """Status and body without tokens and request id."""
    body = response.content.replace(response["X-Request-Id"].encode(), b"req")
    for token in TOKENS:
        body = token.sub(b"token", body)
    return response.status_code, body


def assert_alike(seen: HttpResponse, none: HttpResponse, asked: object, unknown: object, where: object) -> None:
    """Fail unless what was asked for is answered, to the byte, as what does not exist."""
    status, body = plain(none)
    assert plain(seen) == (status, body.replace(str(unknown).encode(), str(asked).encode())), where


def both(sides: tuple[Side, Side]) -> list[tuple[Side, Side]]:
    return [sides, sides[::-1]]


def test_what_is_done_in_one_changes_no_byte_of_the_pages_of_the_other(world: World, sides: tuple[Side, Side]) -> None:
    """Lists, counts, searches, choices, figures and the log."""
    ours, theirs = sides
    before = {path: plain(ours.get(path)) for path in PAGES}

    furnish(world, theirs.organization, theirs.mark, "Twins")
    world.key("*", organization=theirs.organization, name="Twin admin")

    assert {status for status, _ in before.values()} == {200}
    for path, (_, body) in before.items():
        assert theirs.mark.encode() not in body, path
        assert plain(ours.get(path))[1] == body, path
    assert [ours.mark.encode() in before[f"{name}/"][1] for name in LISTS] == [True] * len(LISTS), "it can be seen"


def test_a_search_for_the_others_words_finds_nothing(sides: tuple[Side, Side]) -> None:
    for ours, theirs in both(sides):
        for name in (*LISTS, f"groups/{ours.ids['group']}/members/add"):
            found = ours.get(f"{name}/?search={theirs.mark}")
            nothing = ours.get(f"{name}/?search=onlynothing")
            assert_alike(found, nothing, theirs.mark, "onlynothing", name)


def test_a_filter_by_the_others_ids_is_one_by_none(sides: tuple[Side, Side]) -> None:
    for ours, theirs in both(sides):
        for path, kind in (
            ("keys/?owner=", "service"),
            ("keys/?owner=", "member"),
            ("api-users/?group=", "group"),
            ("settings/members/?group=", "group"),
            ("api-users/?search=", "service"),
            ("keys/new/?kind=user&owner=", "service"),
        ):
            pk = theirs.ids[kind]
            assert_alike(ours.get(f"{path}{pk}"), ours.get(f"{path}{NONE}"), pk, NONE, (path, kind))


ADDRESSED = {
    "keys/{}/": ("key", "user key"),
    **{f"keys/{{}}/{act}/": ("key", "user key") for act in ("edit", "regenerate", "revoke", "delete", "pause")},
    **{f"api-users/{{}}/{act}": ("service", "member") for act in ("", "edit/", "disable/", "delete/", "groups/add/")},
    "api-users/{}/read-only/": ("service",),
    **{f"settings/members/{{}}/{act}": ("member", "service") for act in ("", "remove/", "groups/add/")},
    "settings/invitations/{}/withdraw/": ("invitation",),
    **{f"groups/{{}}/{act}": ("group",) for act in ("", "edit/", "delete/", "members/add/", "policies/add/")},
    **{f"policies/{{}}/{act}": ("policy",) for act in ("", "edit/", "delete/", "edit/preview/")},
    "groups/OWN-group/policies/{}/remove/": ("policy",),
    "groups/OWN-group/members/{}/remove/": ("service", "member"),
    "api-users/OWN-service/groups/{}/remove/": ("group",),
    "settings/members/OWN-member/groups/{}/remove/": ("group",),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_others_things_answer_like_ones_that_do_not_exist(sides: tuple[Side, Side], method: str) -> None:
    ours, theirs = sides
    body = {"name": "Mine", "reason": "x"}
    for pattern, kinds in ADDRESSED.items():
        path = re.sub(r"OWN-(\w+)", lambda part: str(ours.ids[part[1]]), pattern)
        none = ours.get(path.format(NONE), method=method, body=body)
        assert none.status_code in (404, 405), (path, none.status_code)
        for kind in kinds:
            seen = ours.get(path.format(theirs.ids[kind]), method=method, body=body)
            assert_alike(seen, none, theirs.ids[kind], NONE, (path, kind))


def test_the_others_organisation_answers_like_one_that_does_not_exist(sides: tuple[Side, Side]) -> None:
    ours, theirs = sides
    slug = theirs.organization.slug
    for path in (*PAGES, f"groups/{theirs.ids['group']}/", f"keys/{theirs.ids['key']}/", "nothing/"):
        seen, none = ours.get(path, slug=slug), ours.get(path, slug="nowhere")
        assert seen.status_code == 404, path
        assert_alike(seen, none, slug, "nowhere", path)


def test_forms_refuse_the_others_ids_like_none_and_know_none_of_their_names(sides: tuple[Side, Side]) -> None:
    for ours, theirs in both(sides):
        for path, field, kind in (
            ("api-users/new/", "groups", "group"),
            (f"api-users/{ours.ids['service']}/groups/add/", "groups", "group"),
            ("settings/members/invite/", "groups", "group"),
            ("groups/new/", "policies", "policy"),
            (f"groups/{ours.ids['group']}/policies/add/", "policies", "policy"),
            (f"groups/{ours.ids['group']}/members/add/", "users", "service"),
            ("keys/new/", "owner", "service"),
        ):
            said = fields(kind="user", mode="owner") if field == "owner" else {"name": "New", "email": "a@example.org"}
            pk = theirs.ids[kind]
            seen = ours.get(path, method="POST", body={**said, field: [pk]})
            none = ours.get(path, method="POST", body={**said, field: [NONE]})
            assert seen.status_code == 422, path
            assert_alike(seen, none, pk, NONE, path)
        # The nearest name is one of the catalogue, and a policy of the same name elsewhere is in nobody's way.
        wrong = ours.get(
            "policies/new/", method="POST", body={"name": "x", "patterns": ["Twin policy"], "view": "rules"}
        )
        assert wrong.status_code == 422
        assert theirs.mark.encode() not in wrong.content
        named = f"Known in {theirs.mark}"
        create_policy(actor=OPERATOR, organization=theirs.organization, name=named, patterns=[])
        made = ours.get(
            "policies/new/", method="POST", body={"name": named, "patterns": ["view_customer"], "view": "rules"}
        )
        assert made.status_code == 303


def test_a_name_that_a_key_of_the_other_has_is_new_here(world: World, sides: tuple[Side, Side]) -> None:
    ours, theirs = sides
    world.key(organization=theirs.organization, name="Lonely")

    def note(name: str) -> bytes:
        return ours.get("keys/new/preview/", method="POST", body=fields(name=name)).content

    assert note("Lonely") == note("Unknown")
    assert note("Twin key") != note("Unknown"), "it can be seen"
