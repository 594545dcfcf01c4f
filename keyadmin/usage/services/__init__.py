"""Records kept, drained, counted and pruned. They change nothing: there is no unit of work, no actor and no event."""

from keyadmin.usage.services.draining import drain
from keyadmin.usage.services.partitions import prepare
from keyadmin.usage.services.pruning import prune
from keyadmin.usage.services.recording import access, note_written, record
from keyadmin.usage.spool import Record

__all__ = ["Record", "access", "drain", "note_written", "prepare", "prune", "record"]
