import pytest
from django.db import connections
from django.test import Client

from tests.api.calls import CRM_KEYS, KEYS
from tests.world import World


@pytest.fixture(params=[KEYS, CRM_KEYS])
def keys_path(request: pytest.FixtureRequest) -> str:
    """Both addresses of the same endpoints."""
    path: str = request.param
    return path


@pytest.fixture
def client(world: World) -> Client:
    """A client that carries an organisation key of acme with all rights."""
    return world.client(key=world.key("*", name="All rights").secret)


@pytest.fixture
def kept_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """For calls of the real WSGI handler inside a test's transaction: each would begin by closing its connections."""
    for connection in connections.all():
        monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
