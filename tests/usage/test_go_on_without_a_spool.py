"""R4: a full disk, a directory that is gone or can't be made: requests go on, it is said once, it heals by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running.installation import ROOT


@pytest.mark.parametrize("together", [1, 10])
@pytest.mark.parametrize(("how", "said"), [("full", "File too large"), ("no directory", "File exists"), ("gone", None)])
def test_what_can_not_be_kept_is_counted_and_later_records_are_kept_again(
    tmp_path: Path, how: str, said: str | None, together: int
) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "tests.usage.failing", how, str(together)],
        cwd=ROOT,
        env={**environment, "KEYADMIN_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["last"] == [str(number) for number in range(50)]
    lines = [line for line in done.stderr.splitlines() if "could not be kept" in line]
    if said is None:
        assert lines == []
        assert found["kept"] == 550, "a new directory is made as soon as it is noticed"
    else:
        assert len(lines) == 1, done.stderr
        assert lines[0].endswith(f"access records could not be kept: {said}") or "cut short" in lines[0]
        assert found["kept"] < 550
        wanted = 560 if how == "full" else 550
        assert found["kept"] + found["lost"] == wanted, "each is kept or counted, and none both"
