"""What stands in the way of the first start is said in one line, and the lock files can be trusted."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt")


def pins(lock: str) -> set[str]:
    """The pinned packages of a lock file, each with its hashes."""
    text = (ROOT / lock).read_text().replace("\\\n", "")
    return {line for line in text.splitlines() if not line.startswith("#")}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_each_package_by_hash_and_names_no_address(lock: str) -> None:
    for pin in pins(lock):
        assert re.match(r"[a-z0-9._-]+==\S+ ", pin), pin
        assert "--hash=sha256:" in pin, pin
        assert not re.search(r"://|--(extra-)?index-url|--find-links", pin), pin


def test_development_lock_holds_all_that_runs() -> None:
    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_missing_python_is_said_in_one_line_with_the_command_to_type(tmp_path: Path) -> None:
    project, programs = tmp_path / "a project", tmp_path / "bin"
    (project / "scripts").mkdir(parents=True)
    programs.mkdir()
    shutil.copy(ROOT / "scripts" / "setup", project / "scripts")
    for lock in LOCKS:
        shutil.copy(ROOT / lock, project)
    for name in ("cksum", "dirname", "grep", "mktemp", "rm"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    # Root on Debian would be served instead of told.
    for name, answer in (("id", "1000"), ("apt-get", "")):
        (programs / name).write_text(f"#!/bin/sh\necho {answer}\n")
        (programs / name).chmod(0o755)

    told = subprocess.run([project / "scripts" / "setup"], env={"PATH": str(programs)}, capture_output=True, text=True)

    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr.splitlines() == [
        "keyadmin: Python 3.11 or newer with venv is missing; type: sudo apt-get install python3 python3-venv"
    ]
    assert not (project / ".venv").exists()
