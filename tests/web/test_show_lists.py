"""A list as a page and as a part: the same rows, the sort of the filterset, chips, pages, the live region."""

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path
from django_filters import CharFilter
from django_tables2 import Column

from keyadmin.keys.filters import DEFAULT_SORT, KeyFilter
from keyadmin.keys.queries import visible_keys
from keyadmin.web.auth import actor_of
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.tables import KitTable
from tests.world import World


class NameTable(KitTable):
    caption = "API keys"
    name = Column()
    created = Column(accessor="created_at")


class Filters(KeyFilter):
    search = CharFilter(label="Search", method="by_search")


def shown(request: HttpRequest) -> HttpResponse:
    filterset = Filters(request.GET, queryset=visible_keys(actor_of(request)))
    noun = Noun("API key", "API keys")
    return render_list(request, filterset, NameTable, noun=noun, template="app.html", default_sort=DEFAULT_SORT)


urlpatterns = [path("list/", shown), path("", include("keyadmin.urls"))]
PART = {"hx-request": "true"}


@pytest.fixture
def part(world: World) -> Any:
    for number in range(30):
        world.key(name=f"Key {number:02}")

    def get(query: str) -> Any:
        return world.client(world.admin).get(f"/list/{query}", headers=PART)

    with override_settings(ROOT_URLCONF=__name__):
        yield get


def test_the_filterset_sorts_and_the_header_says_so(part: Any) -> None:
    page = part("?sort=name").content.decode()

    assert page.index("Key 00") < page.index("Key 24")
    assert "Key 25" not in page
    assert page.count("aria-sort") == page.count('aria-sort="ascending"') == 1
    assert 'href="?sort=-name"' in page
    assert 'href="?sort=name&amp;page=2"' in page


def test_without_a_sort_the_default_is_shown(part: Any) -> None:
    page = part("").content.decode()

    assert page.index("Key 29") < page.index("Key 05")
    assert 'aria-sort="descending"' in page


def test_the_live_region_says_what_came(part: Any) -> None:
    said = json.loads(part("?sort=name&page=2")["HX-Trigger-After-Settle"])["announce"]["text"]

    assert said == "30 API keys, sorted by Name, ascending (page 2 of 2)"


@pytest.mark.parametrize("page", ["99", "0", "-1", "x", ""])
def test_a_page_that_does_not_exist_is_the_first(part: Any, page: str) -> None:
    assert "25 of 30 API keys" in part(f"?page={page}").content.decode()


def test_a_chip_takes_its_filter_away_and_leaves_the_rest(part: Any) -> None:
    page = part("?search=Key+07&status=active&sort=name&page=1").content.decode()

    assert "Search: <bdi>Key 07</bdi>" in page
    assert 'href="?status=active&amp;sort=name"' in page
    assert 'href="?search=Key+07&amp;sort=name"' in page


def test_nothing_found_offers_to_clear_the_filters(part: Any) -> None:
    page = part("?search=nothing").content.decode()

    assert "No API keys match these filters." in page
    assert "<table" not in page
