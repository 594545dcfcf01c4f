from keyadmin.freshness.models import Epoch
from keyadmin.freshness.watch import watch


def current() -> str:
    """The epoch's value as this connection sees it; empty while nothing has ever been changed."""
    return Epoch.objects.filter(pk=1).values_list("value", flat=True).first() or ""


def confirmed(within: float = 0.0) -> str | None:
    """The epoch that is known to be current; None if that is not known within so many seconds."""
    return watch().within(within) if within else watch().now()
