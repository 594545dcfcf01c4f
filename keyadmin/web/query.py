"""Addresses that differ from the present one in a few values."""

from django.http import QueryDict


def altered(query: QueryDict, **changes: object) -> str:
    """`?name=value&...`: the query with other values; None takes one away."""
    changed = query.copy()
    for name, value in changes.items():
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = str(value)
    return f"?{changed.urlencode()}"
