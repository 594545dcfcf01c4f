"""How the tests of this folder read access records, and keep the database from taking them."""

from django.conf import settings
from django.db import connections, router

from keyadmin.usage import spool
from keyadmin.usage.models import AccessRecord


def outcomes() -> list[tuple[str, str]]:
    """Outcome and reason of all records, oldest first."""
    return [(row.outcome, row.reason) for row in AccessRecord.objects.order_by("pk")]


def only() -> AccessRecord:
    """The one record that there is."""
    (found,) = AccessRecord.objects.all()
    return found


def refuse_records() -> None:
    """Make the database itself refuse new records, as a full disk would."""
    connection = connections[router.db_for_write(AccessRecord)]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON usage_accessrecord BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        else:
            cursor.execute("ALTER TABLE usage_accessrecord ADD CONSTRAINT refuse CHECK (false) NOT VALID")


def spooled() -> list[spool.Record]:
    """The records that wait in the spools of this data directory, oldest first in each."""
    files = sorted((settings.ENV.data_dir / "spool").rglob(f"*{spool.ENDING}"))
    return [record for file in files for record in spool.read(file.read_bytes(), ended=True).records]
