"""The permission catalogue: packs of names, and the check that a pattern names something."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from accounts.access import require_instance
from accounts.models import Permission, Policy
from accounts.models.permissions import Action, Risk
from accounts.services.common import difference
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS, is_name, is_pattern
from keyadmin.kernel.text import clean_line, clean_text

PACKS = Path(__file__).resolve().parent.parent / "packs"
LONGEST_LIST = 200
FIELDS = ("label", "resource", "action", "category", "risk", "description", "tasks", "pack")
TEXTS = (
    ("label", clean_line, 150),
    ("resource", clean_line, 80),
    ("category", clean_line, 80),
    ("description", clean_text, 2000),
)
CUSTOM = "custom"
DEFAULTS: dict[str, object] = {"resource": "Other", "category": "Custom", "action": "other", "risk": "medium"}


class PermissionChanges(TypedDict, total=False):
    """What is said of a custom permission; an absent field stays as it is."""

    label: str
    resource: str
    action: str
    category: str
    risk: str
    description: str
    tasks: list[str]


def load_pack(*, actor: Actor, name: str) -> int:
    """Bring the catalogue up to date with a pack that comes with keyadmin; returns how many names changed.

    Raises DeniedError without `permission.ctrl`, NotFoundError naming the packs that there are.
    """
    known = sorted(path.stem for path in PACKS.glob("*.toml"))
    if name not in known:
        raise NotFoundError(f"There is no pack of this name; there are {', '.join(known)}.")
    entries = tomllib.loads((PACKS / f"{name}.toml").read_text())["permission"]
    return load_entries(actor=actor, pack=name, entries=entries)


def load_file(*, actor: Actor, path: Path) -> int:
    """The same with a file of the operator's, in TOML like the packs; its names become custom permissions.

    Raises DeniedError, InvalidError for a file that can't be read or entries that break a rule.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("permission")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidError(f"{path}: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or not entries:
        raise InvalidError(f"{path}: no [[permission]] in it.")
    own = {"name", *PermissionChanges.__annotations__}
    for entry in entries:
        unknown = sorted(set(entry) - own)
        if unknown:
            raise InvalidError(f"{path}: there is no field {unknown[0]}; there are {', '.join(sorted(own))}.")
        try:
            _checked(Permission(**{**DEFAULTS, **entry, "pack": CUSTOM}))
        except (InvalidError, TypeError, AttributeError) as error:
            raise InvalidError(f"{path}: {entry.get('name', 'an entry')}: {error}") from None
    foreign = Permission.objects.filter(name__in=[entry["name"] for entry in entries]).exclude(pack=CUSTOM).first()
    if foreign is not None:
        raise InvalidError(f"{path}: {foreign.name} comes with keyadmin and can't be changed.")
    return load_entries(actor=actor, pack=CUSTOM, entries=entries)


def load_entries(*, actor: Actor, pack: str, entries: Iterable[Mapping[str, Any]]) -> int:
    """Add the names that are new and change those that differ; returns how many. Takes nothing away."""
    require_instance(actor, "permission.ctrl")
    rows = [Permission(**{**DEFAULTS, "category": entry["resource"], **entry, "pack": pack}) for entry in entries]
    with work.unit(actor) as unit:
        known = {row.name: row for row in Permission.objects.filter(name__in=[row.name for row in rows])}
        changed = [row for row in rows if row.name not in known or _shown(known[row.name]) != _shown(row)]
        if changed:
            Permission.objects.bulk_create(changed, update_conflicts=True, unique_fields=["name"], update_fields=FIELDS)
            unit.record(
                EventName.PERMISSIONS_LOADED, Target("pack", None, pack), after={"names": [row.name for row in changed]}
            )
    return len(changed)


def create_permission(*, actor: Actor, name: str, fields: PermissionChanges) -> Permission:
    """Add a name of one's own to the catalogue.

    Raises DeniedError (`permission.ctrl`), InvalidError, ConflictError for a name that exists.
    """
    require_instance(actor, "permission.ctrl")
    row = _checked(Permission(**{**DEFAULTS, **fields, "name": name.strip(), "pack": CUSTOM}))
    with work.unit(actor) as unit:
        if Permission.objects.filter(name=row.name).exists():
            raise ConflictError(f"There is a permission {row.name} already.")
        row.save(force_insert=True)
        unit.record(EventName.PERMISSION_CREATED, _target(row), after=_shown(row))
    return row


def edit_permission(*, actor: Actor, name: str, changes: PermissionChanges) -> Permission:
    """Change what a custom permission is said to be; its name stays.

    Raises DeniedError, NotFoundError, InvalidError, ConflictError for a name that comes with keyadmin.
    """
    with work.unit(actor) as unit:
        row = _locked_custom(actor, name)
        before = _shown(row)
        for field, value in changes.items():
            setattr(row, field, value)
        old, new = difference(before, _shown(_checked(row)))
        if new:
            row.save(force_update=True)
            unit.record(EventName.PERMISSION_UPDATED, _target(row), before=old, after=new)
    return row


def delete_permission(*, actor: Actor, name: str) -> None:
    """Take a custom permission away that no policy names.

    Keys that list it keep a word that no longer means anything. Raises DeniedError, NotFoundError, ConflictError.
    """
    with work.unit(actor) as unit:
        row = _locked_custom(actor, name)
        holders = [policy.name for policy in Policy.objects.only("name", "patterns") if row.name in policy.patterns]
        if holders:
            raise ConflictError(f"Policies name it: {', '.join(sorted(holders)[:3])}.", code="in_use")
        unit.record(EventName.PERMISSION_DELETED, _target(row), before=_shown(row))
        row.delete()


def check_patterns(patterns: Iterable[str], *, field: str = "permissions", instance: bool = False) -> list[str]:
    """The patterns without repetitions, sorted. Raises InvalidError for one that names nothing in the catalogue.

    `instance` allows the names of instance permissions, which only a user key's own list may hold.
    """
    wanted = sorted(set(patterns))
    if len(wanted) > LONGEST_LIST:
        raise InvalidError.field(field, f"At most {LONGEST_LIST} permissions.")
    found = problems_of(wanted, instance=instance)
    if found:
        problems = list(found.values())
        raise InvalidError(problems[0], errors={field: problems})
    return wanted


def problems_of(patterns: Iterable[str], *, instance: bool = False) -> dict[str, str]:
    """What is wrong with those of the patterns that name nothing in the catalogue, in words."""
    names = set(Permission.objects.values_list("name", flat=True))
    return {pattern: problem for pattern in patterns if (problem := _problem(pattern, names, instance))}


def _problem(pattern: str, names: set[str], instance: bool) -> str:
    if pattern in INSTANCE_PERMISSIONS and not instance:
        return f"{pattern} holds for the whole instance and can't be given in an organisation."
    if pattern == "*" or pattern in names:
        return ""
    if not is_pattern(pattern):
        if pattern.endswith("*") and not pattern.endswith(".*"):
            return f"{pattern}: a prefix ends at a dot, such as apikey.*."
        return "A permission is a name such as view_customer, a prefix such as apikey.*, or *."
    prefix = pattern.removesuffix("*")
    if prefix.endswith(".") and any(name.startswith(prefix) for name in names - INSTANCE_PERMISSIONS):
        return ""
    near = difflib.get_close_matches(pattern, names, n=1, cutoff=0.5)
    return f"There is no permission {pattern}." + (f" Did you mean {near[0]}?" if near else "")


def _target(row: Permission) -> Target:
    return Target("permission", row.pk, row.name)


def _shown(row: Permission) -> dict[str, object]:
    return {field: getattr(row, field) for field in FIELDS}


def _locked_custom(actor: Actor, name: str) -> Permission:
    require_instance(actor, "permission.ctrl")
    row = Permission.objects.select_for_update(no_key=True).filter(name=name).first()
    if row is None or actor.segment:  # the catalogue does not know who made an entry
        raise NotFoundError("There is no such permission.")
    if row.pack != CUSTOM:
        raise ConflictError(f"{row.name} comes with keyadmin and can't be changed.", code="in_use")
    return row


def _checked(row: Permission) -> Permission:
    """The row with clean texts. Raises InvalidError with all that is wrong."""
    errors: dict[str, list[str]] = {}
    if not is_name(row.name):
        errors["name"] = ["Lower-case letters, digits and underscores, in parts with dots between: view_order."]
    for field, clean, longest in TEXTS:
        try:
            setattr(row, field, clean(field, getattr(row, field), longest=longest))
        except InvalidError as error:
            errors.update(error.errors)
    if row.action not in Action.values:
        errors["action"] = [f"One of {', '.join(Action.values)}."]
    if row.risk not in Risk.values:
        errors["risk"] = [f"One of {', '.join(Risk.values)}."]
    try:
        row.tasks = _tasks(row.tasks)
    except InvalidError as error:
        errors.update(error.errors)
    if errors:
        raise InvalidError(next(iter(errors.values()))[0], errors=errors)
    return row


def _tasks(wanted: object) -> list[str]:
    if not isinstance(wanted, list) or len(wanted) > LONGEST_LIST or not all(isinstance(task, str) for task in wanted):
        raise InvalidError.field("tasks", "A list of lines such as GET /orders.")
    return [clean_line("tasks", task, longest=200) for task in wanted if task.strip()]
