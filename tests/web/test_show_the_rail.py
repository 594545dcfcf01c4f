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


@pytest.mark.parametrize(
    ("who", "labels"),
    [
        ("admin", ["Overview", "API keys", "Activity"]),
        ("auditor", ["Overview", "API keys", "Activity"]),
        ("developer", ["Overview", "API keys"]),
        ("stranger", ["Overview"]),
    ],
)
def test_entries_by_rights(world: World, who: str, labels: list[str]) -> None:
    acme = Organization(world.acme.pk, world.acme.slug, world.acme.name)
    with override_settings(ROOT_URLCONF=__name__):
        groups = rail(world.actor(getattr(world, who)), acme, "/o/acme/keys/12/")

    entries = [entry for group in groups for entry in group["entries"]]
    assert [entry["label"] for entry in entries] == labels
    assert [entry["label"] for entry in entries if entry["current"]] == [name for name in labels if name == "API keys"]
