from collections.abc import Collection, Iterable
from datetime import datetime
from heapq import merge
from itertools import islice

from django.db.models import Max, QuerySet

from keyadmin.activity import chain
from keyadmin.activity.events import INSTANCE, SIGN_INS, EventName
from keyadmin.activity.models import Chain, Event
from keyadmin.kernel.errors import NotFoundError

LAST_SEQUENCE = 2**63 - 1
# What an entry says of a thing that has gone since.
GONE = {"api_key": EventName.API_KEY_DELETED}


def chain_of(organization_id: int) -> QuerySet[Event]:
    """The entries of one organisation's chain (0: the instance), oldest first."""
    return Event.objects.filter(chain=organization_id).order_by("sequence")


def latest(organization_id: int, number: int) -> list[Event]:
    """The newest changes in one organisation: sign-ins, of which there are many, are left out."""
    return list(chain_of(organization_id).exclude(name__in=SIGN_INS).order_by("-sequence")[:number])


def page_before(
    rows: QuerySet[Event], before: int | None, size: int, names: Collection[str] | None = None
) -> tuple[list[Event], bool]:
    """The newest `size` of the rows below a sequence, and whether there are older ones.

    `names` keeps the events of these names alone: one walk along an index for each, merged here, because a database
    that is asked for several at once sorts all that it finds. No count: the cost does not grow with the log.
    """
    older = rows if before is None else rows.filter(sequence__lt=before)
    wanted = [older] if names is None else [older.filter(name=name) for name in sorted(names)]
    found = list(islice(_newest_first([part.order_by("-sequence")[: size + 1] for part in wanted]), size + 1))
    return found[:size], len(found) > size


def since(rows: QuerySet[Event], organization_id: int, moment: datetime) -> QuerySet[Event]:
    """Those of a chain's rows from its first entry at or after a moment on.

    By place in the chain and not by time, which a clock that was set back would have mixed up: two steps along
    indexes, and no sort.
    """
    first = _times(organization_id).filter(time__gte=moment).order_by("time", "sequence").first()
    return rows.none() if first is None else rows.filter(sequence__gte=first[1])


def until(rows: QuerySet[Event], organization_id: int, moment: datetime) -> QuerySet[Event]:
    """Those of a chain's rows up to its last entry at or before a moment."""
    last = _times(organization_id).filter(time__lte=moment).order_by("-time", "-sequence").first()
    return rows.none() if last is None else rows.filter(sequence__lte=last[1])


def about(target_kind: str, target_id: int, organization_id: int, number: int) -> list[Event]:
    """The newest entries about one thing."""
    return list(_about(target_kind, target_id, organization_id).order_by("-sequence")[:number])


def signed_in_from(user_id: int, number: int) -> list[str]:
    """The addresses of a person's newest sign-ins, as many as asked for."""
    found = _about("user", user_id, INSTANCE).filter(name=EventName.PERSON_SIGNED_IN).order_by("-sequence")
    return list(found.values_list("address", flat=True)[:number])


def about_user(user_id: int, organization_id: int, number: int) -> list[Event]:
    """The newest entries about a user: the user is the target, or came into a group, or left one."""
    walks = (_about("user", user_id, organization_id), _about_member(user_id, organization_id))
    return newest(*(walk.order_by("-sequence")[:number] for walk in walks), number=number)


def edits(kind: str, target_ids: Iterable[int], organization_id: int, number: int) -> list[Event]:
    """The newest edits of some groups or policies, as the kind says."""
    name = f"{kind}.updated"
    rows = Event.objects.filter(chain=organization_id, target_kind=kind, target_id__in=list(target_ids), name=name)
    return list(rows.order_by("-sequence")[:number])


def joined(user_id: int, organization_id: int) -> dict[tuple[str, int | None], int]:
    """The sequence of the last entry that took a user into each group, or in by each invitation, in one query."""
    rows = _about_member(user_id, organization_id).exclude(name=EventName.GROUP_MEMBER_REMOVED).order_by()
    found = rows.values_list("target_kind", "target_id").annotate(Max("sequence"))
    return {(kind, pk): last for kind, pk, last in found}


def newest(*walks: Iterable[Event], number: int) -> list[Event]:
    """The newest of several walks through a chain, each of which begins with its newest."""
    return list(islice(_newest_first(walks), number))


def entry(organization_id: int, sequence: int) -> Event:
    """One entry by its place in a chain. Raises NotFoundError."""
    found = chain_of(organization_id).filter(sequence=sequence).first() if sequence <= LAST_SEQUENCE else None
    if found is None:
        raise NotFoundError("There is no such entry.")
    return found


def neighbours(event: Event) -> tuple[int | None, int | None]:
    """The sequences of the entries about the same thing before and after this one."""
    if event.target_id is None:
        return None, None
    same = _about(event.target_kind, event.target_id, event.chain).values_list("sequence", flat=True)
    earlier = same.filter(sequence__lt=event.sequence).order_by("-sequence").first()
    later = same.filter(sequence__gt=event.sequence).order_by("sequence").first()
    return earlier, later


def deleted(events: Iterable[Event], organization_id: int) -> set[tuple[str, int]]:
    """Kind and id of those of the events' targets that are gone, as the log itself says. One query, or none."""
    ids = {event.target_id for event in events if event.target_kind in GONE and event.target_id is not None}
    if not ids:
        return set()
    gone = Event.objects.filter(
        chain=organization_id, target_kind__in=list(GONE), target_id__in=ids, name__in=list(GONE.values())
    )
    return {(kind, pk) for kind, pk in gone.values_list("target_kind", "target_id") if pk is not None}


def set_up_by() -> str | None:
    """Who set the instance up, as its log says; None before that."""
    rows = Event.objects.filter(chain=INSTANCE, name=EventName.INSTANCE_SET_UP).order_by("sequence")
    return rows.values_list("actor_label", flat=True).first()


def check(organization_id: int) -> chain.Verdict:
    """Whether one organisation's chain (0: the instance) is consistent, read as a stream."""
    head = Chain.objects.filter(pk=organization_id).first()
    return chain.check(chain_of(organization_id).iterator(chunk_size=1000), head)


def _about(target_kind: str, target_id: int, organization_id: int) -> QuerySet[Event]:
    return Event.objects.filter(chain=organization_id, target_kind=target_kind, target_id=target_id)


def _about_member(user_id: int, organization_id: int) -> QuerySet[Event]:
    return Event.objects.filter(chain=organization_id, member_id=user_id)


def _times(organization_id: int) -> QuerySet[Event, tuple[datetime, int]]:
    return Event.objects.filter(chain=organization_id).values_list("time", "sequence")


def _newest_first(parts: Iterable[Iterable[Event]]) -> Iterable[Event]:
    return merge(*parts, key=lambda event: -event.sequence)
