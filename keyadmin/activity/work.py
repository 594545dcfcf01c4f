"""The unit of work: the outermost one is the transaction, inner ones join it.

Services only collect events and the wish to bump the epoch. They are written just before COMMIT, always in one
order: chain heads by organisation id (the instance first), the epoch last. Taking those locks where the services
are nested would deadlock.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db import DatabaseError, transaction

from keyadmin.activity import chain
from keyadmin.activity.events import INSTANCE, EventName, Fields, Target
from keyadmin.activity.models import Chain, Event
from keyadmin.freshness import services as freshness
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import UnavailableError
from keyadmin.kernel.text import clean_line

REASON_LENGTH = 200


@dataclass(slots=True)
class _Collected:
    drafts: list[chain.Draft] = field(default_factory=list)
    bump: bool = False


_current: ContextVar[_Collected | None] = ContextVar("unit of work", default=None)


class Work:
    """What a service sees of the unit: where it says what it did."""

    def __init__(self, collected: _Collected, actor: Actor) -> None:
        self._collected = collected
        self._actor = actor

    def record(
        self,
        name: EventName,
        target: Target,
        *,
        organizations: Iterable[int] = (),
        before: Fields | None = None,
        after: Fields | None = None,
    ) -> None:
        """Collect one event for each organisation given; for the instance where none is.

        `before` and `after` are plain JSON values and never hold a secret.
        """
        for organization_id in sorted(set(organizations)) or [INSTANCE]:
            draft = chain.Draft(organization_id, name, self._actor, target, before, after)
            self._collected.drafts.append(draft)

    def changes_rights(self) -> None:
        """Say that this unit can change what some key may do: the epoch is bumped before COMMIT."""
        self._collected.bump = True


@contextmanager
def unit(actor: Actor) -> Iterator[Work]:
    """Open the transaction, or join the one that is open. An exception undoes all of it, the events too.

    No slow hash, mail or network call inside. Raises InvalidError for a reason that can't be kept: it would stand in
    the log for ever.
    """
    clean_line("reason", actor.reason, longest=REASON_LENGTH, required=False)
    outer = _current.get()
    if outer is not None:
        # An error in an inner unit dooms the outermost one, even if somebody catches it on the way.
        with transaction.atomic(savepoint=False):
            yield Work(outer, actor)
        return
    collected = _Collected()
    token = _current.set(collected)
    try:
        with transaction.atomic():
            yield Work(collected, actor)
            _write(collected)
    finally:
        _current.reset(token)


def _write(collected: _Collected) -> None:
    if collected.drafts:
        try:
            _append(collected.drafts)
        except DatabaseError as error:
            raise UnavailableError("The activity log can't be written, so nothing was changed.") from error
    if collected.bump:
        freshness.bump()
        transaction.on_commit(freshness.committed)


def _append(drafts: list[chain.Draft]) -> None:
    ids = sorted({draft.chain for draft in drafts})
    heads = {head.pk: head for head in _locked_heads(ids)}
    if len(heads) < len(ids):
        Chain.objects.bulk_create([Chain(pk=pk) for pk in ids if pk not in heads], ignore_conflicts=True)
        heads = {head.pk: head for head in _locked_heads(ids)}
    events = []
    now = clock.now()
    for draft in drafts:
        head = heads[draft.chain]
        event = chain.entry(draft, head, now)
        head.sequence, head.hash = event.sequence, event.hash
        events.append(event)
    Event.objects.bulk_create(events)
    for pk in ids:
        Chain.objects.filter(pk=pk).update(sequence=heads[pk].sequence, hash=heads[pk].hash)


def _locked_heads(ids: list[int]) -> Iterable[Chain]:
    return Chain.objects.select_for_update().filter(pk__in=ids).order_by("pk")
