"""Called by `activity.work` alone, as the last statement of a transaction."""

import secrets

from keyadmin.freshness.models import Epoch


def bump() -> None:
    """Give the epoch a fresh random 128-bit value."""
    value = secrets.token_hex(16)
    if not Epoch.objects.filter(pk=1).update(value=value):
        Epoch.objects.bulk_create([Epoch(pk=1, value=value)], ignore_conflicts=True)
