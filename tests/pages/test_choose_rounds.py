"""The page about rounds: read, measure this server, save; and why it can't be saved."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from keyadmin.instance import measuring, queries
from keyadmin.kernel.calibration import Calibration, Timing
from keyadmin.kernel.survey import Survey
from tests.instance.saving import events, give_by_environment, save
from tests.pages.reading import Page
from tests.pages.test_open_every_page import assert_sound
from tests.world import PASSWORD, World, confirm

ROUNDS, MEASURE = "/instance/rounds/", "/instance/rounds/measure/"

RESULT = re.compile(
    r"(?:For 2 ms use about|Nearest to 2 ms:) ([0-9,]+) rounds"
)  # the latter where others are busy here


@pytest.fixture
def admin(world: World) -> Client:
    return world.client(world.admin)


def measured(client: Client, **fields: Any) -> Any:
    return client.post(MEASURE, {"hash_name": "pbkdf2_sha256", "target_ms": "2", **fields})


def test_it_says_the_number_its_source_and_what_it_is_worth(world: World, admin: Client) -> None:
    text = Page(admin.get(ROUNDS)).text
    for words in (
        "Rounds 30,000",
        "Read from the number that Keyadmin comes with, 30,000",
        "30,000 rounds are weak for secrets that can be guessed: OWASP asks for 600,000 or more.",
        "A generated secret has 190 bits, which nobody guesses: rounds add nothing to it but time.",
        "Existing keys go on working whatever the number is, and are re-hashed at their next use.",
    ):
        assert words in text
    assert "Below 10,000" not in text


def test_a_number_is_saved_and_said(world: World, admin: Client) -> None:
    version = Page(admin.get(ROUNDS)).field("version")["value"]
    response = admin.post(ROUNDS, {"api_key_rounds_no": "9999", "weak_is_known": "on", "version": version}, follow=True)
    text = Page(response).text
    assert "New hashes have 9,999 rounds." in text
    assert "Read from the number saved on this page" in text
    assert "Below 10,000 rounds is weak." in text
    assert queries.rounds().number == 9_999
    assert len(events()) == 1


@pytest.mark.parametrize("typed", ["30000", "30,000", "30 000", " 030000 ", "30\u202f000"])
def test_thousands_may_be_parted(world: World, admin: Client, typed: str) -> None:
    assert admin.post(ROUNDS, {"api_key_rounds_no": typed, "version": "1"}).status_code == 303
    assert queries.rounds().saved == 30_000


@pytest.mark.parametrize(
    "typed", ["30.000", "30.0", "30000.", "30,00", "3,0000", "30,000 000", "\u0663\u0660\u0660\u0660\u0660", "3e4"]
)
def test_what_could_mean_another_number_is_refused(world: World, admin: Client, typed: str) -> None:
    response = admin.post(ROUNDS, {"api_key_rounds_no": typed, "weak_is_known": "on", "version": "1"})
    assert response.status_code == 422
    assert "Use digits only; a comma or a space may part the thousands." in Page(response).text
    assert queries.rounds().saved is None


def test_a_weak_number_has_to_be_meant(world: World, admin: Client) -> None:
    assert "weak_is_known" not in [field.get("name") for field in Page(admin.get(ROUNDS)).all("input")]
    refused = admin.post(ROUNDS, {"api_key_rounds_no": "9,999", "version": "1"})
    assert refused.status_code == 422
    assert_sound(refused)
    assert "Below 10,000 rounds is weak. Tick the box if you mean it." in Page(refused).text
    assert Page(refused).field("weak_is_known")["type"] == "checkbox"
    assert queries.rounds().saved is None
    assert admin.post(ROUNDS, {"api_key_rounds_no": "10000", "version": "1"}).status_code == 303


@pytest.mark.parametrize("typed", ["", "0", "-5", "1.5", "many", "100000001", "9" * 400, "100000000"])
def test_nonsense_is_refused_beside_the_field(world: World, admin: Client, typed: str) -> None:
    response = admin.post(ROUNDS, {"api_key_rounds_no": typed, "version": "1"})
    assert response.status_code == 422
    assert_sound(response)
    page = Page(response)
    assert page.title.startswith("Error: Rounds")
    assert page.field("api_key_rounds_no")["aria-invalid"] == "true"
    assert queries.rounds().saved is None


def test_who_was_slower_than_somebody_else_is_told(world: World, admin: Client) -> None:
    save(45_000, actor=world.actor(world.admin))
    response = admin.post(ROUNDS, {"api_key_rounds_no": "60000", "version": "1"})
    assert response.status_code == 422
    assert "You changed this just now" in Page(response).text
    assert queries.rounds().number == 45_000


def test_later_saving_needs_the_password(world: World, admin: Client) -> None:
    confirm(admin, world.admin, seconds_ago=660)
    assert "identity" in [field.get("name") for field in Page(admin.get(ROUNDS)).all("input")]
    fields = {"api_key_rounds_no": "45000", "version": "1"}
    assert admin.post(ROUNDS, fields).status_code == 422
    assert admin.post(ROUNDS, {**fields, "identity": "wrong"}).status_code == 422
    assert queries.rounds().saved is None
    assert measured(admin, hash_name="hmac_sha256").status_code == 200, "measuring changes nothing"
    assert admin.post(ROUNDS, {**fields, "identity": PASSWORD}).status_code == 303
    assert queries.rounds().saved == 45_000


def test_this_server_is_measured(world: World, admin: Client) -> None:
    response = measured(admin)
    assert response.status_code == 200
    assert_sound(response)
    page = Page(response)
    said = RESULT.search(page.text)
    assert said is not None
    suggested = int(said[1].replace(",", ""))
    for words in (
        f"{suggested:,} (suggested)",
        "30,000 (now)",
        "Probe 1 10,000 rounds take",
        "Probe 2 100,000 rounds take",
        f"For config.yml api_key_rounds_no: {suggested} ",
        "By command .venv/bin/python manage.py calibrate_rounds pbkdf2_sha256 2 ",
        "one check takes",
    ):
        assert words in page.text
    assert [tag for tag, _ in page.tags].count("circle") >= 4
    copied = [button["data-copy-text"] for button in page.all("button") if "data-copy-text" in button]
    assert copied == [f"api_key_rounds_no: {suggested}", ".venv/bin/python manage.py calibrate_rounds pbkdf2_sha256 2"]
    assert queries.rounds().saved is None, "measuring saves nothing"


@pytest.mark.parametrize(("slower", "prefilled"), [(1, "100000"), (3, "30000")])
def test_a_number_in_doubt_is_not_filled_in(
    world: World, admin: Client, monkeypatch: pytest.MonkeyPatch, slower: int, prefilled: str
) -> None:
    points = (Timing(96_000, 48.0 * slower, 48.0), Timing(100_000, 50.0, 50.0))
    made = Survey(Calibration("pbkdf2_sha256", 50, points, points[1]), points)
    monkeypatch.setattr(measuring, "survey", lambda *args, **kwargs: made)
    page = Page(measured(admin, target_ms="50"))
    assert page.field("api_key_rounds_no")["value"] == prefilled
    assert ("The machine was busy with other things" in page.text) is (slower > 1)
    assert ("Nearest to 50 ms: 100,000 rounds" in page.text) is (slower > 1)
    primary = [button.get("data-busy") for button in page.all("button") if "btn-primary" in (button.get("class") or "")]
    assert ("Measuring…" in primary, "Saving…" in primary) == (slower > 1, slower == 1)


def test_a_hash_without_rounds_is_answered_in_words(world: World, admin: Client) -> None:
    page = Page(measured(admin, hash_name="hmac_sha256"))
    assert "hmac_sha256 has no rounds: a number of them means nothing for it" in page.text
    assert page.field("api_key_rounds_no")["value"] == "30000"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"target_ms": ""}, "Time of one check, in milliseconds is missing."),
        ({"target_ms": "0"}, "Write a whole number of milliseconds from 1 to 500."),
        ({"target_ms": "501"}, "Write a whole number of milliseconds from 1 to 500."),
        ({"target_ms": "soon"}, "Write a whole number of milliseconds from 1 to 500."),
        ({"hash_name": "md5"}, "md5"),
    ],
)
def test_what_can_not_be_measured_is_refused(world: World, admin: Client, fields: dict[str, str], words: str) -> None:
    response = measured(admin, **fields)
    assert response.status_code == 422
    assert_sound(response)
    assert words in Page(response).text


def test_two_are_not_measured_at_a_time(world: World, admin: Client) -> None:
    with measuring._turn:
        response = measured(admin)
    assert response.status_code == 409
    assert_sound(response)
    assert "This server is being measured for somebody else" in Page(response).text
    assert measured(admin).status_code == 200


def test_while_the_environment_decides_it_says_so_instead(world: World, admin: Client, settings: Settings) -> None:
    save(45_000)
    give_by_environment(settings, 70_000)
    page = Page(admin.get(ROUNDS))
    assert "Read from the environment variable API_KEY_ROUNDS_NO" in page.text
    assert "A number can't be saved here while it is set by the environment variable API_KEY_ROUNDS_NO" in page.text
    assert "45,000 is saved, and without effect." in page.text
    assert "api_key_rounds_no" not in [field.get("name") for field in page.all("input")]
    refused = admin.post(ROUNDS, {"api_key_rounds_no": "60000", "version": "2"})
    assert refused.status_code == 422
    assert "which outdo a saved one" in Page(refused).text
    assert measured(admin).status_code == 200


def test_auditors_read_it_and_developers_do_not_find_it(world: World) -> None:
    auditor = world.client(world.auditor)
    page = Page(auditor.get(ROUNDS))
    assert "Read-only: you can look at the number, not change it." in page.text
    assert ROUNDS not in [form.get("action") for form in page.all("form")]
    assert MEASURE not in [form.get("action") for form in page.all("form")]
    assert ROUNDS in [link["href"] for link in Page(auditor.get("/o/acme/")).all("a")]
    developer = world.client(world.developer)
    assert ROUNDS not in [link["href"] for link in Page(developer.get("/o/acme/")).all("a")]
