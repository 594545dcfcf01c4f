"""The permission catalogue: packs of names, and the check that a pattern names something."""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from accounts.access import require_instance
from accounts.models import Permission
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS, is_pattern

PACKS = Path(__file__).resolve().parent.parent / "packs"
LONGEST_LIST = 200
FIELDS = ("label", "resource", "action", "category", "risk", "description", "tasks", "pack")


def load_pack(*, actor: Actor, name: str) -> int:
    """Bring the catalogue up to date with a pack that comes with keyadmin; returns how many names changed.

    Raises DeniedError without `permission.ctrl`.
    """
    require_instance(actor, "permission.ctrl")
    entries: list[dict[str, Any]] = tomllib.loads((PACKS / f"{name}.toml").read_text())["permission"]
    names = [entry["name"] for entry in entries]
    with work.unit(actor) as unit:
        known = {row.name: row for row in Permission.objects.filter(name__in=names)}
        changed = []
        for entry in entries:
            row = Permission(**{"category": entry["resource"], **entry, "pack": name})
            old = known.get(row.name)
            if old is None or any(getattr(old, field) != getattr(row, field) for field in FIELDS):
                changed.append(row)
        if changed:
            Permission.objects.bulk_create(changed, update_conflicts=True, unique_fields=["name"], update_fields=FIELDS)
            unit.record(
                EventName.PERMISSIONS_LOADED, Target("pack", None, name), after={"names": [row.name for row in changed]}
            )
    return len(changed)


def check_patterns(patterns: Iterable[str], *, field: str = "permissions", instance: bool = False) -> list[str]:
    """The patterns without repetitions, sorted. Raises InvalidError for one that names nothing in the catalogue.

    `instance` allows the names of instance permissions, which only a user key's own list may hold.
    """
    wanted = sorted(set(patterns))
    if len(wanted) > LONGEST_LIST:
        raise InvalidError.field(field, f"At most {LONGEST_LIST} permissions.")
    names = set(Permission.objects.values_list("name", flat=True))
    problems = [problem for pattern in wanted if (problem := _problem(pattern, names, instance))]
    if problems:
        raise InvalidError(problems[0], errors={field: problems})
    return wanted


def _problem(pattern: str, names: set[str], instance: bool) -> str:
    if pattern in INSTANCE_PERMISSIONS and not instance:
        return f"{pattern} holds for the whole instance and can't be given in an organisation."
    if pattern == "*" or pattern in names:
        return ""
    if not is_pattern(pattern):
        return "A permission is a name such as view_customer, a prefix such as sensor.*, or *."
    prefix = pattern.removesuffix("*")
    if prefix.endswith(".") and any(name.startswith(prefix) for name in names - INSTANCE_PERMISSIONS):
        return ""
    near = difflib.get_close_matches(pattern, names, n=1, cutoff=0.5)
    return f"There is no permission {pattern}." + (f" Did you mean {near[0]}?" if near else "")
