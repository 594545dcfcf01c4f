"""An entry of the log as pages show it: in words, with what changed as rows."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from keyadmin.activity import queries, words
from keyadmin.activity.events import SIGN_INS
from keyadmin.activity.models import Event
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.web import words as web

# For each kind of target: the pages of those of the ids that exist and that one may see. The rooms to the right, which
# know them, give the first form (who asks, the slug of the organisation, ids); the second is bound to one reader.
Links = Mapping[str, Callable[[Actor, str, Collection[int]], Mapping[int, str]]]
Targets = Mapping[str, Callable[[Collection[int]], Mapping[int, str]]]


@dataclass(frozen=True, slots=True)
class Change:
    """One field: what it lost, what it gained, and how many items of a list stayed."""

    field: str
    act: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    kept: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in words; `action_on` stands before the name of its target.

    `url` leads to the target, if that is there to be seen; `gone`: it was deleted since.
    """

    event: Event
    time: str
    action: str
    action_on: str
    actor_kind: str
    via: str
    target_kind: str
    url: str
    gone: bool
    reason: str
    agent: str
    changes: list[Change]
    raw: str

    @property
    def has_target(self) -> bool:
        """Whether a target is worth showing: who signs in is the actor already."""
        event = self.event
        return (event.target_kind, event.target_id) != ("user", event.actor_id) or event.name not in SIGN_INS


def entries_of(events: Sequence[Event], organization_id: int, targets: Targets) -> list[Entry]:
    """The events of one chain as pages show them. One query for each kind of target, and one for what is gone."""
    urls = {
        (kind, pk): url
        for kind, resolve in targets.items()
        if (ids := {event.target_id for event in events if event.target_kind == kind and event.target_id is not None})
        for pk, url in resolve(ids).items()
    }
    gone = queries.deleted(events, organization_id)
    return [_entry(event, urls, gone) for event in events]


def _entry(event: Event, urls: Mapping[tuple[str, int], str], gone: Collection[tuple[str, int]]) -> Entry:
    body = json.loads(event.text)
    after = dict(body["after"] or {})
    agent = after.pop("user_agent", "")
    said = {**(body["before"] or {}), **after}
    target = (event.target_kind, event.target_id or 0)
    return Entry(
        event=event,
        time=_exact(timezone.localtime(event.time)),
        action=words.action(event.name, said),
        action_on=words.action_on(event.name, said),
        actor_kind=words.ACTORS.get(event.actor_kind, event.actor_kind),
        via=body["actor"]["via"],
        target_kind=words.TARGETS.get(event.target_kind, event.target_kind),
        url=urls.get(target, ""),
        gone=target in gone,
        reason=body["reason"],
        agent=agent,
        changes=changes_of(body["before"], after or None),
        raw=json.dumps(body, indent=2, ensure_ascii=False),
    )


def changes_of(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """What differs, field by field; nothing for a field that holds nothing and means nothing by it."""
    found = []
    for name in sorted({*(before or {}), *(after or {})}, key=words.place):
        old = _items(name, before[name]) if before and name in before else ()
        new = _items(name, after[name]) if after and name in after else ()
        lost = tuple(item for item in old if item not in new)
        gained = tuple(item for item in new if item not in old)
        if lost or gained:
            act = "Changed" if lost and gained else "Added" if gained else "Removed"
            found.append(Change(words.field(name), act, lost, gained, len(old) - len(lost)))
    return found


def _items(name: str, value: Any) -> tuple[str, ...]:
    """A value as its parts in words: a list is a set of them, anything else is one."""
    if value is None or value == "":
        return (words.NOTHING[name],) if name in words.NOTHING else ()
    if isinstance(value, list):
        return tuple(map(str, value)) or ((words.EMPTY[name],) if name in words.EMPTY else ())
    if isinstance(value, bool):
        return ("Yes" if value else "No",)
    if name.endswith("_date"):
        return (_exact(timezone.localtime(clock.parse_moment(value))),)
    return (words.VALUES.get(value, value) if name == "kind" else str(value),)


def _exact(moment: datetime) -> str:
    """`12 Feb 2027, 23:59:59 UTC`."""
    return f"{web.day(moment)}, {moment:%H:%M:%S %Z}"
