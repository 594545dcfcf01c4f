"""How often a key may be used: its own limit, else its organisation's, and more of it by the flair [bulk]."""

from typing import NamedTuple

from django.conf import settings

from accounts.models import KeyPolicy, Membership
from keyadmin.kernel.rates import Rate, strictest
from keyadmin.keys.flairs import effective_flairs
from keyadmin.keys.models import APIKey


class Often(NamedTuple):
    """The limit that holds for a key (None: none does), and whose it is, in words."""

    rate: Rate | None
    source: str


def effective_rate(key: APIKey, default: Rate | None) -> Rate | None:
    """The limit that holds for a key whose organisation has this default; None: none does."""
    rate = key.rate or default
    bulk = rate is not None and "bulk" in effective_flairs(key.name)
    return rate.times(settings.BULK_FACTOR) if rate is not None and bulk else rate


def default_rate(key: APIKey) -> Rate | None:
    """The default of the key's organisation; of a person's key the strictest of those of all their organisations.

    One query for a person's key; none for another whose organisation was read with its key policy.
    """
    if key.organization is not None:
        return key.organization.key_policy.default_rate
    homes = Membership.objects.filter(user_id=key.owner_id or 0).values("organization_id")
    return strictest(policy.default_rate for policy in KeyPolicy.objects.filter(pk__in=homes))


def often(key: APIKey) -> Often:
    """The limit that holds for a key, as its page says it."""
    default = default_rate(key) if key.rate is None else None
    rate = effective_rate(key, default)
    if rate is None:
        return Often(None, "")
    source = "Its own limit" if key.rate is not None else "The organisation's default"
    if key.rate is None and key.organization_id is None:
        source = "The strictest default of the organisations that it works in"
    base = key.rate or default
    return Often(rate, source if rate == base else f"{source}, {base}, times {settings.BULK_FACTOR} by [bulk]")
