"""Several starts at the same moment on one empty database: one makes the tables, all of them run."""

import contextlib
from pathlib import Path

from tests.running.installation import ADMINISTRATOR, Installation, free_port, installation


def test_two_first_starts_at_once(tmp_path: Path) -> None:
    with installation(tmp_path / "one", **ADMINISTRATOR) as one:
        two = Installation(tmp_path / "two", None, {**one.environment, "KEYADMIN_PORT": str(port := free_port())})
        two.data, two.port = one.data, port
        with contextlib.closing(two):
            two.launch()
            one.start()
            two.wait()
            assert one.errors == two.errors == ""
            # One master key, one administrator, one organisation, whoever was first.
            secret = one.secret("create_key", "--name", "Shared")
            assert two.get("/api/v1/whoami", key=secret).status_code == 200
            assert one.get("/api/v1/whoami", key=secret).status_code == 200
            assert one.stop() == two.stop() == 0
