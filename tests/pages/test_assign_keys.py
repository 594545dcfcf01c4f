"""The API key tab of a user: what is assigned, and entering or generating another."""

from typing import Any

import pytest
from django.test import Client

from accounts import queries
from accounts.services.api_users import create_api_user
from accounts.services.groups import add_member, create_group
from accounts.services.organizations import edit_key_policy
from accounts.services.policies import create_policy
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.pages.managing import SECRET, nonce_of, page
from tests.pages.reading import Page
from tests.pages.test_open_every_page import assert_sound
from tests.world import OPERATOR, World, confirm, person

STRONG, WEAK = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "correct-horse-battery-staple-2024"


@pytest.fixture
def tab(world: World) -> str:
    return f"/o/acme/api-users/{world.robot.pk}/api-key/"


@pytest.fixture
def client(world: World) -> Client:
    return world.client(world.manager)


def send(client: Client, tab: str, **fields: Any) -> Any:
    return client.post(tab, {"nonce": nonce_of(client, tab), "how": "given", "expiry": "90", **fields}, follow=True)


def test_both_kinds_of_user_have_the_tab(world: World, client: Client, tab: str) -> None:
    member = f"/o/acme/settings/members/{world.developer.pk}/"
    for user_page, key_page in ((tab.removesuffix("api-key/"), tab), (member, f"{member}api-key/")):
        assert f'href="{key_page}"' in page(client, user_page)
        response = client.get(key_page)
        assert_sound(response)
        shown = Page(response)
        assert "None yet." in shown.text
        assert [one["value"] for one in shown.all("input") if one.get("name") == "how" and "checked" in one] == [
            "generate"
        ]
        typed = shown.field("api_key")
        assert (typed["type"], typed["autocomplete"], typed.get("value", "")) == ("password", "off", "")
    assert client.get(f"/o/acme/api-users/{world.developer.pk}/api-key/").status_code == 404


def test_a_given_key_is_entered_and_works(world: World, client: Client, tab: str) -> None:
    response = send(client, tab, api_key=STRONG, reason="moved over")
    text = Page(response).text
    assert "Robot has the key that you entered." in text
    assert "...f1Jg" in text
    assert "This key is weak." not in text
    assert STRONG not in response.content.decode()
    assert world.client(key=STRONG).get("/api/v1/whoami").status_code == 200
    key = APIKey.objects.get()
    shown = page(client, f"/o/acme/keys/{key.pk}/")
    assert "made elsewhere" in shown
    assert "moved over" in shown
    assert "Secret not confirmed" not in shown


def test_a_weak_one_is_warned_of_wherever_it_stands(client: Client, tab: str) -> None:
    assert "This key is weak." in Page(send(client, tab, api_key=WEAK)).text
    key = APIKey.objects.get()
    for path in ("/o/acme/keys/", f"/o/acme/keys/{key.pk}/"):
        shown = page(client, path)
        assert "Weak secret" in shown
        assert WEAK[-4:] not in shown.replace("2024-", "")


def test_a_generated_one_is_shown_once_in_place_of_the_last(world: World, client: Client, tab: str) -> None:
    send(client, tab, api_key=STRONG)
    nonce = nonce_of(client, tab)
    response = client.post(tab, {"nonce": nonce, "how": "generate", "expiry": "keep", "api_key": "left over"})
    found = SECRET.search(response.content.decode())
    assert found
    assert response["Cache-Control"] == "no-store, no-transform"
    assert f'data-after="{tab}"' in response.content.decode()
    assert world.client(key=found[0]).get("/api/v1/whoami").status_code == 200
    assert world.client(key=STRONG).get("/api/v1/whoami").status_code == 401
    again = client.post(tab, {"nonce": nonce, "how": "generate", "expiry": "keep"})
    assert not SECRET.search(again.content.decode())
    assert world.client(key=found[0]).get("/api/v1/whoami").status_code == 200


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"api_key": ""}, "Enter the key."),
        ({"api_key": "much-too-short"}, "At least 32 characters; these are 14."),
        ({"api_key": f"{STRONG}!"}, "The character “!” can&#x27;t be used"),
        ({"api_key": "ka_live_" + "0" * 50}, "Generate one instead."),
        ({"api_key": STRONG, "expiry": "custom", "expiry_date": "2020-01-01"}, "must be in the future"),
        ({"how": ""}, "Secret is missing."),
    ],
)
def test_what_is_wrong_is_said_and_the_key_is_not_shown_again(
    client: Client, tab: str, fields: dict[str, str], said: str
) -> None:
    response = send(client, tab, **fields)
    assert response.status_code == 422
    html = response.content.decode()
    assert said in html
    assert not fields.get("api_key") or fields["api_key"] not in html
    assert "value" not in Page(response).field("api_key")
    assert not APIKey.objects.exists()


def test_the_form_follows_the_key_policy(world: World, client: Client, tab: str) -> None:
    shown = Page(client.get(tab))
    assert "Reason (optional)" in shown.text
    assert [one["value"] for one in shown.all("input") if one.get("name") == "expiry" and "checked" in one] == ["90"]
    changes = {"longest_life_days": 30, "reason_required": True}
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes=changes)  # type: ignore[arg-type]
    shown = Page(client.get(tab))
    assert "Reason (optional)" not in shown.text
    assert "30 days at most" in shown.text
    assert send(client, tab, api_key=STRONG, expiry="30").status_code == 422, "no reason"
    assert send(client, tab, api_key=STRONG, expiry="90", reason="moved").status_code == 422
    assert send(client, tab, api_key=STRONG, expiry="30", reason="moved").status_code == 200
    ends = APIKey.objects.get().expires_at
    assert ends
    assert "As it is" in Page(client.get(tab)).text
    send(client, tab, api_key=f"{STRONG}2", expiry="keep", reason="again")
    assert APIKey.objects.get().expires_at == ends


def test_a_key_in_use_is_said_without_where(world: World, client: Client, tab: str) -> None:
    services.assign_key(actor=OPERATOR, owner=world.stranger, secret=STRONG)
    response = send(client, tab, api_key=STRONG)
    assert response.status_code == 422
    assert "Another key has this secret already." in Page(response).text
    assert "Sam" not in Page(response).text


def test_it_asks_who_one_is_unless_that_is_clear(world: World, client: Client, tab: str) -> None:
    confirm(client, world.manager, seconds_ago=3600)
    assert send(client, tab, api_key=STRONG).status_code == 422
    assert not APIKey.objects.exists()


def test_who_may_not_assign_sees_no_form(world: World, tab: str) -> None:
    services.assign_key(actor=OPERATOR, owner=world.robot, secret=STRONG)
    shown = page(world.client(world.auditor), tab)
    assert "...f1Jg" in shown
    assert "apikey.ctrl" in shown
    assert 'name="how"' not in shown
    assert "Revoke…" not in shown
    olga = person("Olga", world.acme, "Administrators")
    shown = page(world.client(world.manager), f"/o/acme/settings/members/{olga.pk}/api-key/")
    assert "Nobody can give rights that they do not hold" in shown
    assert 'name="how"' not in shown


def test_who_may_see_no_keys_is_offered_no_tab(world: World, tab: str) -> None:

    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Desk", patterns=["user.view", "apikey.own"])
    create_group(actor=OPERATOR, organization=world.acme, name="Desk", policies=[policy])
    desk = person("Lim", world.acme, "Desk")
    client = world.client(desk)
    assert "api-key/" not in page(client, tab.removesuffix("api-key/"))
    assert client.get(tab).status_code == 403
    own = f"/o/acme/settings/members/{desk.pk}/"
    assert "api-key/" in page(client, own)
    assert 'name="how"' in page(client, f"{own}api-key/")


def test_the_tab_keeps_the_acts_of_the_user(world: World, client: Client, tab: str) -> None:
    user = tab.removesuffix("api-key/")
    text = page(world.client(world.admin), tab)
    for act in ("edit/", "disable/", "delete/"):
        assert f'href="{user}{act}"' in text
    assert f'href="{user}edit/"' not in page(client, tab)


def test_a_key_for_an_api_user_without_rights_is_said_to_do_nothing(world: World, client: Client, tab: str) -> None:
    idle = create_api_user(actor=OPERATOR, organization=world.acme, name="Idle")
    its = f"/o/acme/api-users/{idle.pk}/api-key/"
    assert "has no rights here yet" in page(client, its)
    assert "has no rights in <bdi>Acme</bdi> yet" in page(client, f"/o/acme/keys/new/?kind=user&owner={idle.pk}")

    add_member(actor=OPERATOR, group=queries.group_named(world.acme, "Readers"), user=idle)
    assert "has no rights" not in page(client, its)
