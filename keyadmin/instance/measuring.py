"""Measuring this server for the page about rounds: one measurement at a time in a process, as it uses up a core."""

import threading

from keyadmin.instance import queries
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError
from keyadmin.kernel.survey import Survey, survey

_turn = threading.Lock()


def measure(*, actor: Actor, scheme: str, target_ms: int) -> Survey:
    """How many rounds take `target_ms` milliseconds on this server, and what the number in force takes. Some seconds.

    Raises DeniedError (`setting.ctrl`), InvalidError for an unknown scheme and a target out of range, ConflictError
    while another measurement runs.
    """
    queries.require_manage(actor)
    now = queries.rounds().number
    if not _turn.acquire(blocking=False):
        raise ConflictError(code="measuring")
    try:
        return survey(scheme, target_ms, also=[now])
    finally:
        _turn.release()
