from collections.abc import Iterator

import pytest

from tests.running.installation import ADMINISTRATOR, Installation, installation


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with an administrator (dana@example.org) and an organisation (acme), started once per file."""
    with installation(tmp_path_factory.mktemp("running"), **ADMINISTRATOR) as made:
        made.start()
        yield made
