"""Permission patterns: a catalogue name, a dotted prefix ending in `.*`, or `*`. Union only, no deny rules.

`sensor.*` covers `sensor.task` and `sensor.task.*`, not `sensor` itself. Instance permissions are outside every
organisation's patterns: `*` does not contain them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", re.ASCII)
NAME_MAX = 100

INSTANCE_PERMISSIONS = frozenset({"setting.ctrl", "permission.ctrl", "org.create", "sitekey.ctrl"})


def is_name(text: str) -> bool:
    """Whether text has the shape of a permission name."""
    return len(text) <= NAME_MAX and NAME.fullmatch(text) is not None


def is_pattern(text: str) -> bool:
    """Whether text has the shape of a pattern."""
    return text == "*" or is_name(text.removesuffix(".*"))


def covers(wide: str, narrow: str) -> bool:
    """Whether pattern `wide` contains all that pattern (or name) `narrow` contains."""
    if wide == narrow:
        return True
    if narrow in INSTANCE_PERMISSIONS:
        return False
    return wide == "*" or (wide.endswith(".*") and narrow.startswith(wide[:-1]))


def covering(name: str) -> frozenset[str]:
    """Every pattern that contains the permission `name`: the other way round from `covers`."""
    if name in INSTANCE_PERMISSIONS:
        return frozenset({name})
    parts = name.split(".")
    return frozenset({"*", name, *(".".join(parts[:length]) + ".*" for length in range(1, len(parts)))})


def reduced(patterns: Iterable[str]) -> frozenset[str]:
    """The same rights without patterns that another one contains."""
    given = frozenset(patterns)
    return frozenset(p for p in given if not any(q != p and covers(q, p) for q in given))


@dataclass(frozen=True, slots=True)
class Rights:
    """A union of patterns, held in one organisation (or, for `Actor.instance`, over the installation)."""

    patterns: frozenset[str] = frozenset()

    def allows(self, name: str) -> bool:
        """Whether the permission or pattern `name` is contained."""
        return name in self.patterns or any(covers(p, name) for p in self.patterns)

    def first_missing(self, wanted: Iterable[str]) -> str | None:
        """The first (in alphabetical order) of the wanted patterns that is not contained; None if all are."""
        return next((p for p in sorted(wanted) if not self.allows(p)), None)

    def narrowed(self, by: Iterable[str] | None) -> "Rights":
        """What is in both; None narrows nothing. Patterns are nested or disjoint, so pairs suffice."""
        if by is None:
            return self
        by = tuple(by)
        both = {p for p in self.patterns for q in by if covers(q, p)}
        both |= {q for q in by for p in self.patterns if covers(p, q)}
        return Rights(reduced(both))


NOTHING = Rights()
EVERYTHING = Rights(frozenset({"*"}))
EVERY_INSTANCE_PERMISSION = Rights(INSTANCE_PERMISSIONS)


@dataclass(frozen=True, slots=True)
class Held:
    """All that somebody holds, at one moment.

    `rights` is by organisation id, `suspended` names those of them that are suspended, where nothing is held.
    `everywhere` (instance administrators, the operator) holds in each organisation, also in one made later.
    `blocked` names those that have blocked the key through which all this is held: nothing is held there either.
    Where there is one, `everywhere` is None, as it knows no exception.
    """

    rights: Mapping[int, Rights] = field(default_factory=dict)
    suspended: frozenset[int] = frozenset()
    everywhere: Rights | None = None
    instance: Rights = NOTHING
    blocked: frozenset[int] = frozenset()

    @property
    def is_everything(self) -> bool:
        """Whether there is no organisation, not even a later one, where anything is lacking."""
        return self.allowing("*") is None

    def reaches(self, organization_id: int) -> bool:
        """Whether the organisation exists for the holder."""
        if organization_id in self.blocked:
            return False
        return self.everywhere is not None or (organization_id in self.rights and organization_id not in self.suspended)

    def rights_in(self, organization_id: int) -> Rights:
        """The rights in one organisation; nothing where it is out of reach."""
        if not self.reaches(organization_id):
            return NOTHING
        held = self.rights.get(organization_id, NOTHING)
        return held if self.everywhere is None else Rights(held.patterns | self.everywhere.patterns)

    def allowing(self, name: str) -> frozenset[int] | None:
        """Ids of the organisations where permission `name` is held; None means in every one."""
        if self.everywhere is not None and self.everywhere.allows(name):
            return None
        return frozenset(oid for oid in self.rights if self.rights_in(oid).allows(name))

    def allows(self, name: str, organization_id: int | None = None) -> bool:
        """Whether permission `name` is held: in that organisation, over the instance, or without one anywhere."""
        if organization_id is not None:
            here = self.rights_in(organization_id).allows(name)
        else:
            here = self.allowing(name) != frozenset()
        return here or self.instance.allows(name)

    def narrowed(self, by: Iterable[str] | None) -> "Held":
        """The same, limited to the patterns given; None limits nothing."""
        if by is None:
            return self
        by = tuple(by)
        return Held(
            {oid: rights.narrowed(by) for oid, rights in self.rights.items()},
            self.suspended,
            None if self.everywhere is None else self.everywhere.narrowed(by),
            self.instance.narrowed(by),
            self.blocked,
        )

    def blocked_in(self, blocked: frozenset[int], every: Iterable[int]) -> "Held":
        """The same, but nothing in these organisations; `every`: the ids of all there are."""
        if not blocked:
            return self
        if self.everywhere is None:
            return replace(self, blocked=blocked)
        return Held({oid: self.rights_in(oid) for oid in every}, instance=self.instance, blocked=blocked)


HOLDS_NOTHING = Held()
HOLDS_EVERYTHING = Held(everywhere=EVERYTHING, instance=EVERY_INSTANCE_PERMISSION)
