"""Rights as people read them: in the words of the catalogue, by resource, with where they come from. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from accounts.models import Permission
from keyadmin.kernel.patterns import Rights

NAMED, ROADS = 4, 2
READING = "view"


class Power(NamedTuple):
    """One permission that is held; `sources` say by which roads."""

    name: str
    label: str
    risk: str
    sources: list[str]

    @property
    def via(self) -> str:
        """The first of the roads, and how many more."""
        return listed(self.sources, ROADS)


@dataclass(frozen=True)
class Powers:
    """All that rights allow. `prefixes` stand for more names than the catalogue has today."""

    everything: bool = False
    rows: list[tuple[str, list[Power]]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.everything or bool(self.rows) or bool(self.prefixes)


def powers(
    catalogue: Iterable[Permission], patterns: Iterable[str], roads: Sequence[tuple[str, Rights]] = ()
) -> Powers:
    """What the patterns allow. `roads`: what gives some of them, in words, and what it gives."""
    given = frozenset(patterns)
    rights, rows = Rights(given), dict[str, list[Power]]()
    for one in catalogue:
        if rights.allows(one.name):
            sources = [road for road, gives in roads if gives.allows(one.name)]
            rows.setdefault(one.resource, []).append(Power(one.name, one.label, one.risk, sources))
    return Powers("*" in given, list(rows.items()), sorted(p.removesuffix("*") for p in given if p.endswith(".*")))


def summary(catalogue: Iterable[Permission], patterns: Iterable[str]) -> str:
    """`View customers, View services and 3 more`; `Everything`; `Nothing`."""
    rights = Rights(frozenset(patterns))
    if rights.allows("*"):
        return "Everything"
    return listed([one.label for one in catalogue if rights.allows(one.name)]) or "Nothing"


def warning(catalogue: Iterable[Permission], patterns: Iterable[str]) -> str:
    """What should give pause: that the rights are more than looking. Empty for those that only look."""
    rights = Rights(frozenset(patterns))
    if rights.allows("*"):
        return "It gives everything in the organisation, also what is added later."
    writing = [one.label for one in catalogue if one.action != READING and rights.allows(one.name)]
    return f"It gives more than looking: {listed(writing)}." if writing else ""


def listed(items: Sequence[str], shown: int = NAMED) -> str:
    """`a, b and 3 more`, `a and b`, or nothing."""
    if len(items) > shown:
        return f"{', '.join(items[:shown])} and {len(items) - shown:,} more"
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))
