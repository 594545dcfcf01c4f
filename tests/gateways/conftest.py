from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.gateways.programs import KINDS, Gateway, running_gateway
from tests.gateways.upstream import Upstream
from tests.running.installation import Installation, prepared
from tests.running.revoking import Office


@dataclass(frozen=True)
class Guarded:
    """An application behind a gateway, and who may reach it."""

    made: Installation
    office: Office
    upstream: Upstream
    key: str  # view_customer
    key_id: int
    oid: str


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """An installation that believes gateways on this machine, and an application."""
    with (
        prepared(tmp_path_factory.mktemp("guarded"), KEYADMIN_TRUSTED_PROXIES="127.0.0.1/32") as made,
        closing(Upstream()) as upstream,
    ):
        made.start()
        office = Office(made.address, made.secret("create_key", "--name", "Office", "--admin"))
        key = office.key(permissions=["view_customer"])
        oid = office.call("GET", "/organizations/acme")["oid"]
        yield Guarded(made, office, upstream, key["api_key"], key["api_key_id"], oid)


@pytest.fixture(scope="session", params=KINDS)
def gateway(
    request: pytest.FixtureRequest, guarded: Guarded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """Each gateway in turn, in front of the application."""
    directory = tmp_path_factory.mktemp(request.param)
    ports = {"keyadmin": guarded.made.port, "application": guarded.upstream.port}
    with running_gateway(request.param, directory, **ports) as made:
        yield made
        assert "emerg" not in (directory / "log").read_text()
