"""R2: kill -9 of writers and of drains, at any instant, loses no acknowledged record and doubles none."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.running.installation import ROOT, prepared
from tests.usage.killing import WRITERS


def test_each_acknowledged_record_is_there_once_and_counted_once(tmp_path: Path, soak: bool) -> None:
    cycles = 200 if soak else 4
    with prepared(tmp_path / "made") as made:
        done = subprocess.run(
            [sys.executable, "-m", "tests.usage.killing", str(cycles)],
            cwd=ROOT,
            env=made.environment,
            capture_output=True,
            text=True,
            timeout=3000,
        )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    acknowledged, kept = set(found["acknowledged"]), Counter(found["kept"])

    assert len(acknowledged) > 50 * cycles
    assert not acknowledged - set(kept), "lost"
    assert not [name for name, times in kept.items() if times > 1], "doubled"
    # Of each writer at most one record was kept and not yet acknowledged when it died.
    assert len(set(kept) - acknowledged) <= WRITERS * cycles
    assert found["hours"] == found["days"] == found["addresses"] == len(kept)
    assert found["positions"] == 0
    assert set(found["left"]) <= {".lock", ""}, "but for a writer's that died before it had written anything"
    assert "could not be kept" not in done.stderr
