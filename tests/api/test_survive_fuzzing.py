"""schemathesis sends what the OpenAPI schema allows and what it forbids, and compares each answer with the schema."""

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.modes import GenerationMode

from keyadmin.web.auth import Handler
from tests.servers import OURS
from tests.world import World

config = SchemathesisConfig.from_dict(
    {
        # Random organisations would be refused before anything else is looked at.
        "parameters": {"header.X-Organization": "acme"},
        "checks": {
            # Beyond the schema: permissions must be in the catalogue, dates in the future, tags current.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409", "412", "422"]},
        },
    }
)


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", Handler(), config=config)


@pytest.mark.usefixtures("kept_connections")
@schema.parametrize()
@settings(
    max_examples=500 if os.environ.get(OURS) == "1" else 10,
    deadline=None,
    # One world serves all examples: what they leave behind makes the next ones more interesting.
    suppress_health_check=list(HealthCheck),
)
def test_each_operation_keeps_its_word(world: World, case: schemathesis.Case[Any]) -> None:
    key = world.key("*")
    meta = case.meta
    if "api_key_id" in case.path_parameters and meta and meta.generation.mode is GenerationMode.POSITIVE:
        case.path_parameters["api_key_id"] = world.key("view_customer").key.pk
    case.call_and_validate(headers={"X-API-KEY": key.secret})
