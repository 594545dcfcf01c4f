"""A disk of a test's own, which can be full or read-only."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


class Disk:
    """A small file system in memory, mounted on a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._filling = directory / "filling"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._filling.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(1 << 16)):  # the last one is cut short
                pass

    def leave(self, room: int) -> None:
        """Make room for so many bytes, and no more."""
        os.truncate(self._filling, self._filling.stat().st_size - room)

    def clear(self) -> None:
        """Undo `fill`."""
        self._filling.unlink()

    def freeze(self) -> None:
        """Read-only for whoever opens a file from now on: what is open for writing forbids more."""
        _run("mount", "--bind", str(self.directory), str(self.directory))
        _run("mount", "-o", "remount,bind,ro", str(self.directory))

    def thaw(self) -> None:
        """Undo `freeze`."""
        _run("umount", "--lazy", str(self.directory))


@contextlib.contextmanager
def small_disk(*, megabytes: int) -> Iterator[Disk]:
    """One that every account can reach. Skips the test where mounting is not allowed, but not in CI."""
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("mounting a small disk takes root")
    with tempfile.TemporaryDirectory(prefix="keyadmin-disk-") as parent:
        directory = Path(parent) / "disk"
        directory.mkdir()
        Path(parent).chmod(0o711)
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "keyadmin-tests", str(directory))
        try:
            yield Disk(directory)
        finally:
            while os.path.ismount(directory):
                _run("umount", "--lazy", str(directory))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
