"""The catalogue as people choose from it (a matrix) and as they read it (permissions in words). Pure: no queries."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from accounts.models import Permission
from accounts.models.permissions import Action
from keyadmin.kernel.patterns import Rights

COLUMNS: tuple[tuple[str, str], ...] = tuple((action.value, str(action.label)) for action in Action)


class Box(NamedTuple):
    """One permission to tick. `verb` and `rest` are its label in two parts where its column says the first already."""

    name: str
    verb: str
    rest: str
    checked: bool
    grantable: bool


class Cell(NamedTuple):
    """What one resource has of one action; several permissions share it."""

    action: str
    boxes: list[Box]


class Row(NamedTuple):
    """One resource of the catalogue."""

    resource: str
    cells: list[Cell]


@dataclass(frozen=True)
class Matrix:
    """The rows, and beneath them what a key has that no box stands for, such as `sensor.*`."""

    rows: list[Row]
    others: list[tuple[str, bool]]  # pattern, whether it is chosen
    columns: tuple[tuple[str, str], ...] = COLUMNS

    @property
    def boxes(self) -> list[Box]:
        return [box for row in self.rows for cell in row.cells for box in cell.boxes]

    @property
    def complete(self) -> bool:
        """Whether the person can give all that is shown."""
        return all(box.grantable for box in self.boxes)


def matrix(rows: Iterable[Permission], held: Rights, kept: Rights, chosen: Collection[str]) -> Matrix:
    """The catalogue by resource and action. Grantable is what the person holds, and what the key has (`kept`)."""
    found: dict[str, dict[str, list[Box]]] = {}
    for row in rows:
        cells = found.setdefault(row.resource, {action: [] for action, _ in COLUMNS})
        verb, rest = _parted(row)
        cells[row.action].append(
            Box(row.name, verb, rest, row.name in chosen, held.allows(row.name) or kept.allows(row.name))
        )
    names = {box.name for cells in found.values() for boxes in cells.values() for box in boxes}
    others = [(name, name in chosen) for name in sorted(kept.patterns - names - {"*"})]
    return Matrix([Row(resource, [Cell(*cell) for cell in cells.items()]) for resource, cells in found.items()], others)


@dataclass(frozen=True)
class Words:
    """What patterns allow: the permissions of the catalogue by resource, and the prefixes that cover later ones."""

    everything: bool = False
    groups: list[tuple[str, list[Permission]]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)

    @property
    def permissions(self) -> list[Permission]:
        return [row for _, rows in self.groups for row in rows]


def in_words(rows: Iterable[Permission], patterns: Collection[str]) -> Words:
    """Patterns as people read them."""
    if "*" in patterns:
        return Words(everything=True)
    rights, groups = Rights(frozenset(patterns)), dict[str, list[Permission]]()
    for row in rows:
        if rights.allows(row.name):
            groups.setdefault(row.resource, []).append(row)
    return Words(False, list(groups.items()), sorted(p.removesuffix("*") for p in patterns if p.endswith(".*")))


def idle(chosen: Iterable[str], effective: Iterable[str]) -> list[str]:
    """Of the chosen patterns those that give nothing, because nothing of them is effective."""
    rights = Rights(frozenset(effective))
    return [pattern for pattern in sorted(chosen) if not rights.narrowed([pattern]).patterns]


def _parted(row: Permission) -> tuple[str, str]:
    """The label without the action that heads its column: `View` and `own customer`."""
    verb, _, rest = row.label.partition(" ")
    return (verb, rest) if rest and verb.lower() == row.action else ("", row.label)
