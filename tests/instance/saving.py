"""How tests save a number of rounds, and look at those that a verifier has."""

import dataclasses
import json
from typing import Any

from pytest_django import Settings

from keyadmin.activity.events import INSTANCE
from keyadmin.activity.queries import chain_of
from keyadmin.instance import queries, services
from keyadmin.keys.models import APIKey
from tests.world import OPERATOR

WEAK = "correct-horse-battery-staple-2024"  # under 112 bits: always hashed slowly


def save(rounds: int, **fields: Any) -> queries.Rounds:
    """Save a number, as the operator unless somebody else is named."""
    changes = services.SettingsChanges(api_key_rounds_no=rounds)
    return services.edit_settings(**{"actor": OPERATOR, "changes": changes, **fields})


def give_by_environment(settings: Settings, rounds: int) -> None:
    """As if the variable had been set at the start."""
    settings.ENV = dataclasses.replace(settings.ENV, rounds=rounds, rounds_source="API_KEY_ROUNDS_NO")
    settings.KEY_HASHER = settings.KEY_HASHER.with_rounds(rounds)


def rounds_of(key: APIKey) -> int:
    """The rounds of the verifier that is stored now."""
    return int(APIKey.objects.get(pk=key.pk).verifier.split("$")[3])


def events() -> list[dict[str, Any]]:
    """The entries of the instance's chain about its settings, oldest first."""
    found = [json.loads(text) for text in chain_of(INSTANCE).values_list("text", flat=True)]
    return [event for event in found if event["name"] == "settings.updated"]
