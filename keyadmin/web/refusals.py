"""Why a request is refused: noted where it turns out, read at the edge when the refused act has been undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from keyadmin.kernel.actor import Subject
from keyadmin.kernel.errors import DeniedError, ProblemError, RefusedError

STATUSES = (401, 403, 429)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` and `reason` as in an access record. Without a `subject` it is about who acts."""

    code: str
    reason: str = ""
    missing_permission: str = ""
    subject: Subject | None = None


@dataclass(slots=True)
class Noted:
    """What was noted while a request was answered."""

    refusal: Refusal | None = None


_noted: ContextVar[Noted | None] = ContextVar("refusal", default=None)


@contextmanager
def noting() -> Iterator[Noted]:
    """Around a request; what is noted inside can be read from what this gives."""
    noted = Noted()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def note(refusal: Refusal) -> None:
    """Of several in one request the last counts. Outside of a request there is nobody to tell."""
    noted = _noted.get()
    if noted is not None:
        noted.refusal = refusal


def note_problem(error: ProblemError) -> None:
    """The same for an error that the caller is told; one that is no refusal is left alone."""
    if error.kind.status not in STATUSES:
        return
    missing = error.permission if isinstance(error, DeniedError) else ""
    refused = error if isinstance(error, RefusedError) else None
    note(Refusal(error.kind.code, refused.reason if refused else "", missing, refused.subject if refused else None))
