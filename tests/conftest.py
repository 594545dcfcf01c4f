import hypothesis
import pytest
from django.conf import settings

from tests import world as worlds
from tests.world import World

# No test asserts a time: a busy machine is no fault of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture
def world(db: None) -> World:
    """The small world, in a database that is rolled back after the test."""
    return worlds.build(settings.ENV.master.fingerprint)


@pytest.fixture
def lasting_world(transactional_db: None) -> World:
    """The same, committed: for tests with several threads or processes."""
    return worlds.build(settings.ENV.master.fingerprint)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test with a database has both: each request can leave an access record."""
    for item in items:
        if {"db", "transactional_db"} & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(databases="__all__"), append=False)
