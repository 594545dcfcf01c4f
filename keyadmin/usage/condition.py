"""How the spool of this host is doing, for those who run the installation."""

from contextlib import suppress
from tempfile import TemporaryFile

from keyadmin.usage import spool as files
from keyadmin.usage.models import SpoolPosition
from keyadmin.usage.services import recording
from keyadmin.usage.services.partitions import usage_database


def is_writable() -> bool:
    """Whether a record could be kept now: a byte is written to a file without a name, which leaves nothing behind.

    Permissions alone would not show a full disk, and root has them all.
    """
    directory = recording.spool.directory
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # as the next record would
        with TemporaryFile(dir=directory, buffering=0) as file:
            return file.write(b"\0") == 1
    except OSError:
        return False


def dropped() -> int:
    """How many records this process could not keep since it began."""
    return recording.spool.dropped


def waiting_bytes() -> int:
    """How many bytes in the spool of this host are not in the database yet. Raises DatabaseError."""
    rows = SpoolPosition.objects.using(usage_database().alias)
    done, waiting = dict(rows.values_list("name", "done")), 0
    for path in files.waiting(recording.spool.directory):
        with suppress(FileNotFoundError):  # drained meanwhile
            waiting += max(0, path.stat().st_size - done.get(path.name, 0))
    return waiting
