from collections.abc import Iterator
from pathlib import Path

import pytest

from keyadmin.usage.services import recording
from keyadmin.usage.spool import Spool


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """A spool of the test's own: what earlier tests recorded is not drained in this one."""
    made = Spool(tmp_path / "spool")
    monkeypatch.setattr(recording, "spool", made)
    yield made
    made.close()
