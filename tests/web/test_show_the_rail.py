"""The rail holds what the person may read in this organisation, and nothing else."""

import pytest
from django.test import override_settings
from django.urls import include, path

from keyadmin.web.navigation import Organization, rail
from tests.e2e.kitchen_sink import sink
from tests.world import World

urlpatterns = [
    path("o/<slug:slug>/", sink, name="overview"),
    path("o/<slug:slug>/keys/", sink, name="keys"),
    path("o/<slug:slug>/activity/", sink, name="activity"),
    path("", include("keyadmin.urls")),
]
EVERYTHING = [
    "Overview",
    "API keys",
    "API users",
    "Groups",
    "Policies",
    "Permissions",
    "Activity",
    "Members",
    "Settings",
]


@pytest.mark.parametrize(
    ("who", "labels"),
    [
        ("admin", EVERYTHING),
        ("auditor", EVERYTHING),
        ("manager", [name for name in EVERYTHING if name != "Activity"]),
        ("developer", ["Overview", "API keys", "Permissions"]),
        ("stranger", ["Overview", "Permissions"]),
    ],
)
def test_entries_by_rights(world: World, who: str, labels: list[str]) -> None:
    acme = Organization(world.acme.pk, world.acme.slug, world.acme.name)
    with override_settings(ROOT_URLCONF=__name__):
        groups = rail(world.actor(getattr(world, who)), acme, "/o/acme/keys/12/")

    entries = [entry for group in groups for entry in group["entries"]]
    assert [entry["label"] for entry in entries] == labels
    assert [entry["label"] for entry in entries if entry["current"]] == [name for name in labels if name == "API keys"]


def test_the_longest_address_that_fits_is_where_one_is(world: World) -> None:
    acme = Organization(world.acme.pk, world.acme.slug, world.acme.name)
    for address, label in (("/o/acme/settings/members/3/", "Members"), ("/o/acme/settings/key-policy/", "Settings")):
        groups = rail(world.actor(world.admin), acme, address)
        assert [entry["label"] for group in groups for entry in group["entries"] if entry["current"]] == [label]
