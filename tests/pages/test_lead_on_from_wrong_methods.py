"""Addresses that take forms alone, opened by a browser: a page that leads back, in the frame where there is one."""

import pytest

from tests.pages.managing import KEYS
from tests.pages.reading import Page
from tests.pages.test_open_every_page import assert_sound
from tests.world import World


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/instance/rounds/measure/", "/instance/rounds/"),
        ("/instance/site-key/saved/", "/instance/site-key/"),
        (f"{KEYS}{{}}/saved/", f"{KEYS}{{}}/"),
    ],
)
def test_a_page_leads_to_where_the_form_is(world: World, path: str, page: str) -> None:
    key = world.key().key
    admin = world.client(world.admin)
    response = admin.get(path.format(key.pk))
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert_sound(response)
    assert page.format(key.pk) in [link["href"] for link in Page(response).all("a")]
    assert admin.get(page.format(key.pk)).status_code == 200
    assert "Content-Security-Policy" in response


def test_a_form_sent_to_a_page_that_takes_none_is_answered_too(world: World) -> None:
    response = world.client(world.admin).post("/orgs/")
    assert response.status_code == 405
    assert "Method not allowed" in Page(response).text
    assert "POST" not in response["Allow"]
