from collections.abc import Iterator

import pytest

from tests.running.installation import Installation, prepared
from tests.running.revoking import Office


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with an administrator (dana@example.org) and an organisation (acme), for all who leave it well.

    What one test finds there may stand beside what others have made.
    """
    with prepared(tmp_path_factory.mktemp("running")) as made:
        made.start()
        yield made


@pytest.fixture(scope="session")
def office(running: Installation) -> Office:
    """Its REST endpoints, for its administrator."""
    return office_of(running)


def office_of(made: Installation) -> Office:
    return Office(made.address, made.secret("create_key", "--name", "All", "--user", "1"))
