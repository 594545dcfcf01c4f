from django.db.models import QuerySet

from keyadmin.activity import chain
from keyadmin.activity.models import Chain, Event


def chain_of(organization_id: int) -> QuerySet[Event]:
    """The entries of one organisation's chain (0: the instance), oldest first."""
    return Event.objects.filter(chain=organization_id).order_by("sequence")


def latest(organization_id: int, number: int) -> list[Event]:
    """The newest entries of one organisation's chain."""
    return list(Event.objects.filter(chain=organization_id).order_by("-sequence")[:number])


def page_before(rows: QuerySet[Event], before: int | None, size: int) -> tuple[list[Event], bool]:
    """The newest `size` of the rows below a sequence, and whether there are older ones: constant cost, no count."""
    older = rows if before is None else rows.filter(sequence__lt=before)
    found = list(older.order_by("-sequence")[: size + 1])
    return found[:size], len(found) > size


def about(target_kind: str, target_id: int, organization_id: int, number: int) -> list[Event]:
    """The newest entries about one thing."""
    rows = Event.objects.filter(target_kind=target_kind, target_id=target_id, chain=organization_id)
    return list(rows.order_by("-sequence")[:number])


def check(organization_id: int) -> chain.Verdict:
    """Whether one organisation's chain (0: the instance) is consistent, read as a stream."""
    head = Chain.objects.filter(pk=organization_id).first()
    return chain.check(chain_of(organization_id).iterator(chunk_size=1000), head)
