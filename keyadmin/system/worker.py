"""The periodic work: each job is short, may run twice, and leaves a failure to its next turn."""

import logging
import signal
from collections.abc import Callable
from types import FrameType

from apscheduler.schedulers.blocking import BlockingScheduler
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, InternalError, OperationalError, close_old_connections

from keyadmin.instance.services import forget_old_answers
from keyadmin.kernel.text import one_line
from keyadmin.keys.services import note_uses, stamp_expired
from keyadmin.sitekey.services import forget_ended
from keyadmin.system import heartbeat
from keyadmin.usage.services import drain, prepare, prune

log = logging.getLogger("keyadmin.worker")

# (what it does, every how many seconds)
JOBS: tuple[tuple[Callable[[], object], float], ...] = (
    (heartbeat.note, heartbeat.EVERY_SECONDS),
    (stamp_expired, 10),
    (forget_ended, 10),
    (prepare, 3600),
    (drain, 0.5),
    (note_uses, 60),
    (forget_old_answers, 600),
    (prune, 600),
    (SessionStore.clear_expired, 3600),
)


def run() -> None:
    """Do the periodic work until SIGTERM or SIGINT."""
    scheduler = BlockingScheduler(timezone="UTC")
    for job, seconds in JOBS:
        scheduler.add_job(_guarded(job), "interval", seconds=seconds, coalesce=True, max_instances=1)

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    run_once()
    scheduler.start()


def run_once() -> None:
    """Do all periodic work now."""
    for job, _ in JOBS:
        _guarded(job)()


def _guarded(job: Callable[[], object]) -> Callable[[], None]:
    """A job whose failure is logged, on a connection that is given back."""

    def once() -> None:
        close_old_connections()
        try:
            job()
        except (OperationalError, InternalError, InterfaceError, OSError) as error:  # a full disk: no fault of the job
            what = f"{type(error).__name__}: {one_line(str(error))}"
            log.error("%s failed; it is tried again at its next turn: %s", _name(job), what)
        except Exception:
            log.exception("%s failed; it is tried again at its next turn", _name(job))
        finally:
            close_old_connections()

    return once


def _name(job: Callable[[], object]) -> str:
    return str(getattr(job, "__name__", job))
