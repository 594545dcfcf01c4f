from django.db.models import QuerySet

from keyadmin.activity import chain
from keyadmin.activity.models import Chain, Event


def chain_of(organization_id: int) -> QuerySet[Event]:
    """The entries of one organisation's chain (0: the instance), oldest first."""
    return Event.objects.filter(chain=organization_id).order_by("sequence")


def check(organization_id: int) -> chain.Verdict:
    """Whether one organisation's chain (0: the instance) is consistent, read as a stream."""
    head = Chain.objects.filter(pk=organization_id).first()
    return chain.check(chain_of(organization_id).iterator(chunk_size=1000), head)
