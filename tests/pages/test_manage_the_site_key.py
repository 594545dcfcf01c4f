"""The page of the site key: what stands, making, entering, replacing and demanding it."""

import dataclasses
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from keyadmin.activity.models import Event
from keyadmin.kernel import clock
from keyadmin.keys.models import KeyUse
from keyadmin.sitekey import services
from keyadmin.sitekey.models import SiteKey
from tests.pages.managing import nonce_of, page
from tests.pages.reading import Page
from tests.pages.test_open_every_page import assert_sound
from tests.world import OPERATOR, World, confirm

HERE = "/instance/site-key/"
REPLACE = f"{HERE}replace/"
SECRET = re.compile(r"kasite_live_[0-9A-Za-z]{50}")
STRONG, WEAK = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "correct-horse-battery-staple-2024"


@pytest.fixture
def admin(world: World) -> Client:
    return world.client(world.admin)


def sent(client: Client, **changes: Any) -> dict[str, Any]:
    found = re.search(r'name="replaces" value="(\d+)"', page(client, REPLACE))
    assert found
    return {
        "nonce": nonce_of(client, REPLACE),
        "replaces": found[1],
        "how": "generate",
        "site_key": "",
        "overlap": "86400",
        "reason": "",
        **changes,
    }


def made(client: Client, **changes: Any) -> str:
    """One made by the form, which shows it in three text nodes, in an answer that is kept nowhere."""
    response = client.post(REPLACE, sent(client, **changes))
    html = response.content.decode()
    assert response.status_code == 200, html
    assert response["Cache-Control"] == "no-store, no-transform"
    assert response["Referrer-Policy"] == "no-referrer"
    assert_sound(response)
    (secret,) = set[str](SECRET.findall(html))
    assert html.count(secret) == 3
    assert secret not in repr(response.context)
    return secret


def counts(secret: str) -> bool:
    return any(settings.KEY_HASHER.verify(secret, key.verifier) for key in SiteKey.objects.all())


def test_before_there_is_one_it_can_be_made_and_not_demanded(admin: Client) -> None:
    response = admin.get(HERE)
    assert_sound(response)
    text = Page(response).text
    assert "No site key yet" in text
    assert "It can be demanded once there is one." in text
    assert f"{HERE}demand/" not in response.content.decode()
    refused = admin.post(f"{HERE}demand/", {})
    assert refused.status_code == 422
    assert "There is no site key yet" in Page(refused).text


def test_one_is_made_shown_once_and_confirmed(admin: Client) -> None:
    secret = made(admin, reason="first")
    assert counts(secret)
    html = page(admin, HERE)
    assert secret not in html
    assert "The site key was made." in html
    assert "Not confirmed." in html
    key = SiteKey.objects.get()
    assert "first" in Event.objects.get(name="site_key.created").text
    assert admin.post(f"{HERE}saved/", {"token_id": "other"}).status_code == 412
    assert admin.post(f"{HERE}saved/", {"token_id": key.token_id}).status_code == 303
    assert "Not confirmed." not in page(admin, HERE)
    assert admin.post(f"{HERE}saved/", {"token_id": key.token_id}, headers={"HX-Request": "true"}).status_code == 204


def test_a_form_sent_twice_makes_one_and_shows_it_once(admin: Client) -> None:
    fields = sent(admin)
    first, second = (admin.post(REPLACE, fields) for _ in range(2))
    assert SECRET.search(first.content.decode())
    assert not SECRET.search(second.content.decode())
    assert "already made" in Page(second).text
    assert SiteKey.objects.count() == 1


def test_one_that_somebody_replaced_meanwhile_is_not_replaced_again(admin: Client) -> None:
    fields = sent(admin)
    services.replace_site_key(actor=OPERATOR)
    response = admin.post(REPLACE, {**fields, "overlap": "86400"})
    assert response.status_code == 422
    assert "changed" in Page(response).text
    assert SiteKey.objects.count() == 1


def test_one_made_elsewhere_is_entered_and_not_shown(admin: Client) -> None:
    response = admin.post(REPLACE, sent(admin, how="given", site_key=STRONG), follow=True)
    text = Page(response).text
    assert "The site key that you entered counts from now on." in text
    assert "...f1Jg" in text
    assert STRONG not in response.content.decode()
    assert "weak" not in text
    assert counts(STRONG)
    weak = admin.post(REPLACE, sent(admin, how="given", site_key=WEAK), follow=True)
    assert "This site key is weak." in Page(weak).text


@pytest.mark.parametrize(
    ("typed", "words"),
    [("", "Enter the site key."), ("short", "At least 16 characters"), ("kasite_live_" + "0" * 50, "made here")],
)
def test_what_can_not_be_entered_is_said_and_not_shown_again(admin: Client, typed: str, words: str) -> None:
    response = admin.post(REPLACE, sent(admin, how="given", site_key=typed))
    assert response.status_code == 422
    assert_sound(response)
    assert words in Page(response).text
    assert not typed or typed not in response.content.decode()
    assert not SiteKey.objects.exists()


def test_the_former_one_is_shown_with_its_end_and_can_be_ended(admin: Client) -> None:
    first = made(admin)
    second = made(admin, overlap="604800")
    text = Page(admin.get(HERE)).text
    assert "Former site key" in text
    assert "Counts until" in text
    for secret in (first, second):
        assert secret[-4:] in text
    assert admin.post(f"{HERE}end-overlap/", {}).status_code == 303
    assert [counts(first), counts(second)] == [False, True]
    third = made(admin, overlap="0")
    assert [counts(second), counts(third)] == [False, True]


def test_it_is_demanded_after_a_warning_with_figures(world: World, admin: Client) -> None:
    services.replace_site_key(actor=OPERATOR, confirmed=False)
    for days in (1, 6, 8):
        key = world.key(name=f"used {days} days ago").key
        KeyUse.objects.create(key=key, time=clock.now() - timedelta(days=days), address="203.0.113.7")
    world.key(name="never used")
    response = admin.get(f"{HERE}demand/")
    assert_sound(response)
    text = Page(response).text
    assert "2 API keys were used in the last 7 days." in text
    assert "Nobody said that the site key was saved." in text
    assert not SiteKey.objects.get().demanded
    assert admin.post(f"{HERE}demand/", {"reason": "from today"}).status_code == 303
    assert SiteKey.objects.get().demanded
    text = Page(admin.get(HERE)).text
    assert "the setting saved here" in text
    assert "The site key is demanded from now on." in text
    assert f"{HERE}revoke/" not in page(admin, HERE)
    assert admin.post(f"{HERE}revoke/", {}).status_code == 422
    assert admin.post(f"{HERE}stop-demanding/", {}).status_code == 303
    assert not SiteKey.objects.get().demanded
    assert admin.post(f"{HERE}revoke/", {}).status_code == 303
    assert not SiteKey.objects.exists()


def test_what_the_variable_demands_is_named_and_not_to_be_changed_here(admin: Client) -> None:
    with override_settings(ENV=dataclasses.replace(settings.ENV, require_site_key=True)):
        response = admin.get(HERE)
        assert_sound(response)
        assert "No API key is accepted now." in Page(response).text
        made(admin)
        html = page(admin, HERE)
        assert "the variable <code>KEYADMIN_REQUIRE_SITE_KEY</code>" in html
        assert "No API key is accepted now." not in html
        for act in ("demand", "stop-demanding", "revoke"):
            assert f"{HERE}{act}/" not in html
        assert admin.post(f"{HERE}revoke/", {}).status_code == 422


ACTS = ("replace", "demand", "stop-demanding", "end-overlap", "revoke")


@pytest.mark.parametrize("act", ACTS)
def test_each_act_asks_who_it_is_unless_that_was_confirmed(world: World, admin: Client, act: str) -> None:
    services.replace_site_key(actor=OPERATOR)
    services.replace_site_key(actor=OPERATOR)
    before = list(SiteKey.objects.order_by("pk").values_list())
    confirm(admin, world.admin, seconds_ago=3600)
    path = f"{HERE}{act}/"
    assert 'name="identity"' in page(admin, path)
    fields = sent(admin) if act == "replace" else {}
    response = admin.post(path, fields)
    assert response.status_code == 422
    assert "Your password is missing." in Page(response).text
    assert list(SiteKey.objects.order_by("pk").values_list()) == before


def test_the_log_of_the_instance_tells_it_in_words(admin: Client) -> None:
    made(admin)
    made(admin)
    text = Page(admin.get("/instance/activity/")).text
    for words in ("Created the site key", "Replaced the site key"):
        assert words in text


def test_others_do_not_find_it(world: World) -> None:
    for user in (world.manager, world.auditor, world.stranger):
        client = world.client(user)
        assert client.get(HERE).status_code == 403
        assert HERE not in client.get("/me/").content.decode()
    assert HERE in world.client(world.admin).get("/me/").content.decode()
