"""A key's page answers "Would this key be allowed to ...?" by the verifier's own checks."""

import pytest

from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS
from tests.pages.reading import Page
from tests.world import OPERATOR, World


def asked(world: World, key: APIKey, query: str, *, part: bool = False, status: int = 200) -> str:
    headers = {"HX-Request": "true", "HX-Target": "simulation"} if part else {}
    answer = world.client(world.manager).get(f"{KEYS}{key.pk}/simulate/?{query}", headers=headers)
    assert answer.status_code == status
    assert ("<html" in answer.content.decode()) != part
    return Page(answer).text if not part else answer.content.decode()


def test_the_page_of_a_key_holds_the_question(world: World) -> None:
    key = world.key("view_customer").key
    text = world.client(world.auditor).get(f"{KEYS}{key.pk}/").content.decode()
    assert "Would this key be allowed to" in text
    assert f'action="{KEYS}{key.pk}/simulate/"' in text
    assert '<option value="view_invoice">' in text
    assert "setting.ctrl" not in text


@pytest.mark.parametrize("part", [False, True])
def test_the_answer_is_the_list_of_checks(world: World, part: bool) -> None:
    key = world.key("view_customer", allowed_networks=["10.0.0.0/8"]).key
    yes = asked(world, key, "permission=view_customer&address=10.1.1.1&environment=live", part=part)
    assert "Yes." in yes
    assert "Failed: " not in yes
    no = asked(world, key, "permission=view_invoice&address=10.1.1.1&environment=", part=part)
    assert "No." in no
    assert "Missing permission" in no
    assert "It lacks view_invoice." in no
    assert no.count("Failed: ") == 1


def test_the_first_check_that_fails_decides_and_all_are_shown(world: World) -> None:
    key = world.key("view_customer").key
    services.pause_key(actor=OPERATOR, key_id=key.pk)
    text = asked(world, key, "permission=view_invoice&environment=test")
    assert "Key paused" in text
    assert text.count("Failed: ") == 3


def test_that_a_limit_is_not_counted_is_said(world: World) -> None:
    limited = asked(world, world.key(rate_limit="5/minute").key, "permission=")
    assert "Its limit of 5/minute is not counted here." in limited
    assert "Yes." in limited
    assert "not counted" not in asked(world, world.key(name="free").key, "permission=")


def test_what_can_not_be_meant_is_said_at_its_field(world: World) -> None:
    key = world.key().key
    assert "This is not an IP address." in asked(world, key, "address=here", status=422)
    assert "Failed: " not in asked(world, key, "permission=no_such", part=True, status=422)


def test_nothing_is_answered_before_it_is_asked(world: World) -> None:
    assert "verdict" not in asked(world, world.key().key, "")


def test_the_key_of_a_person_is_tried_in_the_organization_of_the_page(world: World) -> None:
    key = world.user_key(world.auditor).key
    services.block_key(actor=OPERATOR, key_id=key.pk, organization=world.acme)
    assert "Key blocked" in asked(world, key, "permission=")
