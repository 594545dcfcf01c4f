"""schemathesis sends what the OpenAPI schema allows and what it forbids, and compares each answer with the schema."""

import os
from typing import Any

import pytest
import schemathesis
from django.db import connection
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.meta import CoveragePhaseData
from schemathesis.generation.modes import GenerationMode

from accounts.models import KeyPolicy
from keyadmin.keys.models import APIKey
from keyadmin.keys.services import Issued
from keyadmin.sitekey.models import SiteKey
from keyadmin.web.auth import Handler
from tests.api.objects import ids
from tests.servers import OURS
from tests.world import World

SOAK = os.environ.get(OURS) == "1"
SQLITE = connection.vendor == "sqlite"

config = SchemathesisConfig.from_dict(
    {
        # What breaks each rule of the schema once is refused before a database is asked: it is tried on one of them.
        "phases": {"coverage": {"enabled": SOAK or SQLITE}},
        # Random organisations would be refused before anything else is looked at.
        "parameters": {"header.X-Organization": "acme"},
        "generation": {
            # The test sends the right key; that wrong ones are refused is the check "ignored_auth", which stays on.
            "with-security-parameters": False,
            # Unknown query parameters are ignored, as is usual on the web; only bodies must name what they mean.
            "allow-extra-parameters": False,
        },
        "checks": {
            # Beyond the schema: permissions must be in the catalogue, dates in the future, tags current.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409", "412", "422"]},
        },
    }
)


DEMANDS_NOTHING = {
    **dict.fromkeys(("admin_keys_allowed", "never_expiring_allowed"), True),
    **dict.fromkeys(("admin_networks_required", "one_key_per_user", "api_users_only", "reason_required"), False),
    **dict.fromkeys(("longest_life_days", "default_life_days")),
}
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", Handler(), config=config)
_tried: set[tuple[object, ...]] = set()


def is_one_more(case: schemathesis.Case[Any]) -> bool:
    """Whether this way of keeping or breaking the schema was tried before, in another field of the same operation."""
    if case.meta is None or not isinstance(how := case.meta.phase.data, CoveragePhaseData):
        return False
    way = (case.operation.label, case.meta.generation.mode, how.scenario, how.parameter_location)
    known = way in _tried
    _tried.add(way)
    return known


class Keyring:
    """A key for all cases of one operation, and another one when a case has changed or deleted it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.last: Issued | None = None

    def secret(self, path: str) -> str:
        if self.last is None or not APIKey.objects.filter(pk=self.last.key.pk, version=self.last.key.version).exists():
            # Only an administrator's key may reach what holds for the whole instance.
            whole = any(name in path for name in ("/permissions", "/organizations", "/site-key"))
            self.last = self.world.user_key(self.world.admin) if whole else self.world.key("*")
        return self.last.secret


@pytest.fixture
def keyring(world: World) -> Keyring:
    return Keyring(world)


@pytest.mark.usefixtures("kept_connections")
@schema.parametrize()
@settings(
    max_examples=500 if SOAK else 3,
    deadline=None,
    # One world serves all examples: what they leave behind makes the next ones more interesting.
    suppress_health_check=list(HealthCheck),
)
def test_each_operation_keeps_its_word(world: World, keyring: Keyring, case: schemathesis.Case[Any]) -> None:
    if not SOAK and is_one_more(case):
        return
    # What an earlier case demanded of keys must not keep this one from having its own.
    KeyPolicy.objects.update(**DEMANDS_NOTHING)
    SiteKey.objects.update(demanded=False)
    secret = keyring.secret(case.operation.path)
    if case.path_parameters and case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
        case.path_parameters.update(ids(world.acme, world, case.operation.path))
    case.call_and_validate(headers={"X-API-KEY": secret})
