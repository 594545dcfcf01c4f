import threading

from django.db import DEFAULT_DB_ALIAS, connections

from keyadmin.freshness.models import Epoch
from keyadmin.freshness.watch import watch


def current() -> str:
    """The epoch's value as this connection sees it; empty while nothing has ever been changed."""
    return Epoch.objects.filter(pk=1).values_list("value", flat=True).first() or ""


def confirmed(within: float = 0.0) -> str | None:
    """The epoch that is known to be current; None if that is not known within so many seconds."""
    return watch().within(within) if within else watch().now()


def in_transaction() -> bool:
    """Whether this thread is in a transaction: it may have changed what others can't see yet."""
    return _here.connection.in_atomic_block


class _Here(threading.local):
    """The thread's own connection, which Django finds anew at each question, at ten times the price."""

    def __init__(self) -> None:
        self.connection = connections[DEFAULT_DB_ALIAS]


_here = _Here()
