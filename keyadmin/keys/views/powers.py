"""What a key may do, in the words of the catalogue, and where it has it from."""

from dataclasses import dataclass, field
from typing import NamedTuple

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.kernel.patterns import Rights
from keyadmin.keys import queries
from keyadmin.keys.models import APIKey


class Power(NamedTuple):
    """One permission that the key gives; `sources` say which groups of its owner give it."""

    name: str
    label: str
    risk: str
    sources: list[str]


@dataclass(frozen=True)
class Powers:
    """All that a key may do in an organisation. `patterns` stand for more names than the catalogue has today."""

    everything: bool
    rows: list[tuple[str, list[Power]]]
    patterns: list[str]
    idle: list[str] = field(default_factory=list)  # in the key's own list, but its owner does not have it

    def __bool__(self) -> bool:
        return self.everything or bool(self.rows) or bool(self.patterns)


def powers_of(key: APIKey, organization: Organization) -> Powers:
    """What the key may do at this moment, by resource."""
    given = queries.effective(key, organization)
    held = Rights(frozenset(given))
    sources = accounts.sources(key.owner, organization) if key.owner is not None else []
    rows: dict[str, list[Power]] = {}
    for row in accounts.grantable_permissions():
        if held.allows(row.name):
            roads = [one for one in sources if one.rights.allows(row.name)]
            via = [f"group {one.group} → policy {one.policy}" for one in roads]
            if key.owner is not None and key.owner.is_instance_admin:
                via = ["instance administrator"]
            rows.setdefault(row.resource, []).append(Power(row.name, row.label, row.risk, via))
    own = key.permissions if key.owner is not None and key.permissions else []
    return Powers(
        everything="*" in given,
        rows=list(rows.items()),
        patterns=[pattern for pattern in given if pattern.endswith(".*")],
        idle=[pattern for pattern in own if pattern != "*" and not held.narrowed([pattern]).patterns],
    )
