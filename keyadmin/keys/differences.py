"""What changes of a key, in words: the same before an edit is saved, after it, and when somebody else made it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from keyadmin.activity.events import Fields
from keyadmin.activity.models import Event

LABELS = {
    "name": "Name",
    "description": "Description",
    "expiry_date": "Expiry",
    "permissions": "Permissions",
    "allowed_networks": "Networks",
    "rate_limit": "Rate limit",
    "token_id": "Token ID",
}
EMPTY = {
    "permissions": "All that its user may do",
    "expiry_date": "Never",
    "description": "None",
    "rate_limit": "The organisation's default",
    "token_id": "None: a secret made elsewhere",
}
LONGEST_TEXT, MOST_NAMED = 120, 4


class Change(NamedTuple):
    """One field, before and after; of a list what is added and removed instead, where both are lists."""

    label: str
    before: str
    after: str
    added: list[str]
    removed: list[str]

    def __str__(self) -> str:
        if not (self.added or self.removed):
            return f"{self.label.lower()} {self.before} → {self.after}"
        parts = [("added", self.added), ("removed", self.removed)]
        return "; ".join(f"{word} {_named(items, self.label)}" for word, items in parts if items)


class Entry(NamedTuple):
    """An entry of the log with its changes."""

    event: Event
    changes: list[Change]


def changes_between(before: Fields, after: Fields, labels: Mapping[str, str]) -> list[Change]:
    """The fields that differ, as the log writes them; `labels` are the catalogue's, by name."""
    return [
        _change(name, before.get(name), after.get(name), labels)
        for name in LABELS
        if (name in before or name in after) and before.get(name) != after.get(name)
    ]


def entry_of(event: Event, labels: Mapping[str, str]) -> Entry:
    """An entry of the log in the same words."""
    body = json.loads(event.text)
    return Entry(event, changes_between(body["before"] or {}, body["after"] or {}, labels))


def sentence(changes: list[Change]) -> str:
    """All of them in one sentence."""
    text = "; ".join(map(str, changes))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _change(name: str, before: object, after: object, labels: Mapping[str, str]) -> Change:
    added: list[str] = []
    removed: list[str] = []
    if isinstance(before, list) and isinstance(after, list) and "*" not in (*before, *after):
        added = [labels.get(one, one) for one in after if one not in before]
        removed = [labels.get(one, one) for one in before if one not in after]
    return Change(LABELS[name], _text(name, before, labels), _text(name, after, labels), added, removed)


def _text(name: str, value: object, labels: Mapping[str, str]) -> str:
    if isinstance(value, list):
        empty = "From anywhere" if name == "allowed_networks" else "Nothing"
        return "Everything" if "*" in value else ", ".join(labels.get(one, one) for one in value) or empty
    if not value:
        return EMPTY.get(name, "None")
    if name == "expiry_date":
        moment = datetime.fromisoformat(str(value)).astimezone(UTC)
        end_of_day = (moment.hour, moment.minute) == (23, 59)
        return f"{moment.day} {moment:%b %Y}" + ("" if end_of_day else f", {moment:%H:%M} UTC")
    text = str(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def _named(items: list[str], label: str) -> str:
    return ", ".join(items) if len(items) <= MOST_NAMED else f"{len(items)} {label.lower()}"
