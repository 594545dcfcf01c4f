"""How many requests to `/verify` were answered since this process began, by what they were told.

Plain numbers, as a counter that locks would cost more than the answer from memory. The event loop alone counts; who
reads copies.
"""

from collections import defaultdict

# By code; `allowed` is there from the start, so that the first request already shows as a rise.
from_memory: dict[str, int] = defaultdict(int, allowed=0)
looked_up: dict[str, int] = defaultdict(int, allowed=0)


def by_place() -> dict[str, dict[str, int]]:
    """The numbers by place (`memory`, `looked_up`) and code, as they are now."""
    return {"memory": dict(from_memory), "looked_up": dict(looked_up)}
