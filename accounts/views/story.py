"""What happened to a user, group or policy, in words: the activity log as components/story.html tells it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from accounts import queries
from accounts.models import Organization
from keyadmin.activity import queries as activity
from keyadmin.activity import words
from keyadmin.activity.models import Event

SHOWN = 30
ICONS = {
    "created": "plus",
    "updated": "pencil",
    "disabled": "pause",
    "enabled": "play",
    "member_added": "plus",
    "member_removed": "slash",
    "removed": "slash",
}


class Change(NamedTuple):
    """One field: what stood there and what stands there, or what a list lost and gained."""

    field: str
    before: str
    after: str
    is_list: bool


@dataclass(frozen=True)
class Step:
    """One thing that happened."""

    words: str
    icon: str
    time: datetime
    actor: str
    via: str
    reason: str
    changes: list[Change]


def story(kind: str, pk: int, organization: Organization) -> list[Step]:
    """The newest entries of the organisation's log about a thing."""
    labels = {row.name: row.label for row in queries.permissions()}
    return [_step(event, labels) for event in activity.about(kind, pk, organization.pk, SHOWN)]


def _step(event: Event, labels: dict[str, str]) -> Step:
    body: dict[str, Any] = json.loads(event.text)
    thing, _, act = event.name.rpartition(".")
    before, after = body["before"] or {}, body["after"] or {}
    edited = act == "updated" or event.name == "organization.updated"
    changes = [change_of(name, before.get(name), after[name], labels) for name in after if edited]
    said = words.action(event.name, {**before, **after})
    if act in ("created", "updated", "disabled", "enabled") and thing != "membership":
        said = {"updated": "Changed"}.get(act, act.capitalize())
    elif act.startswith("member_"):
        said = said.removesuffix(" to group").removesuffix(" from group")
    via, reason = body["actor"]["via"], body["reason"]
    return Step(said, ICONS.get(act, "info"), event.time, event.actor_label, via, reason, changes)


def change_of(name: str, old: Any, new: Any, labels: dict[str, str]) -> Change:
    """One field before and after, in words; `labels` are those of permissions."""
    field = words.field(name)
    if isinstance(old, list) and isinstance(new, list):
        gone = [labels.get(one, str(one)) for one in old if one not in new]
        come = [labels.get(one, str(one)) for one in new if one not in old]
        return Change(field, ", ".join(gone), ", ".join(come), True)
    return Change(field, str(old or "nothing"), str(new or "nothing"), False)
