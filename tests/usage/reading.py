"""How the tests of this folder read access records: as the worker has taken them out of the spool."""

from django.conf import settings

from keyadmin.usage import spool
from keyadmin.usage.models import AccessRecord
from keyadmin.usage.services import drain


def outcomes() -> list[tuple[str, str]]:
    """Outcome and reason of all records, oldest first."""
    drain()
    return [(row.outcome, row.reason) for row in AccessRecord.objects.order_by("pk")]


def only() -> AccessRecord:
    """The one record of a refused request that there is."""
    drain()
    (found,) = AccessRecord.objects.exclude(outcome="allowed")
    return found


def spooled() -> list[spool.Record]:
    """The records that wait in the spools of this data directory, oldest first in each."""
    files = sorted((settings.ENV.data_dir / "spool").rglob(f"*{spool.ENDING}"))
    return [record for file in files for record in spool.read(file.read_bytes(), ended=True).records]
