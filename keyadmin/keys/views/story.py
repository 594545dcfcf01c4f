"""What happened to a key, in words: the activity log as the page of a key tells it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.safestring import SafeString

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.activity import queries as activity
from keyadmin.activity.models import Event
from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from keyadmin.web.templatetags import kit

SHOWN_STEPS = 50
ICONS = {
    "created": "plus",
    "updated": "pencil",
    "paused": "pause",
    "resumed": "play",
    "regenerated": "refresh",
    "assigned": "key",
    "secret_confirmed": "check",
    "blocked": "slash",
    "unblocked": "play",
    "revoked": "slash",
}
WORDS = {"updated": "Changed", "secret_confirmed": "Secret confirmed as saved"}
FIELDS = {
    "name": "Name",
    "description": "Description",
    "permissions": "Permissions",
    "allowed_networks": "Networks",
    "expiry_date": "Expiry date",
    "token_id": "Token ID",
}


class Change(NamedTuple):
    """One field: what was taken away or stood there before, what was added or stands there now."""

    field: str
    before: str | SafeString
    after: str | SafeString
    is_list: bool


@dataclass(frozen=True)
class Step:
    """One thing that happened."""

    name: str
    words: str
    icon: str
    time: datetime
    actor: str
    via: str
    reason: str
    changes: list[Change]


def story(key: APIKey, organization: Organization) -> list[Step]:
    """The newest entries of the organisation's log about the key."""
    labels = {row.name: row.label for row in accounts.permissions()}
    events = activity.about("api_key", key.pk, organization.pk, SHOWN_STEPS)
    return [_step(event, labels) for event in events]


def _step(event: Event, labels: dict[str, str]) -> Step:
    body: dict[str, Any] = json.loads(event.text)
    act = event.name.rpartition(".")[2]
    before, after = body["before"] or {}, body["after"] or {}
    is_new = body["before"] is None
    changes = [] if is_new else [_change(name, before, after, labels) for name in after if name in FIELDS]
    words = WORDS.get(act, act.replace("_", " ").capitalize())
    via = body["actor"]["via"]
    return Step(event.name, words, ICONS.get(act, "info"), event.time, event.actor_label, via, body["reason"], changes)


def _change(name: str, before: dict[str, Any], after: dict[str, Any], labels: dict[str, str]) -> Change:
    old, new = before.get(name), after.get(name)
    if isinstance(old, list) and isinstance(new, list):
        gone, come = [one for one in old if one not in new], [one for one in new if one not in old]
        before_words, after_words = (", ".join(labels.get(one, one) for one in ones) for ones in (gone, come))
        return Change(FIELDS[name], before_words, after_words, True)
    return Change(FIELDS[name], _shown(name, old), _shown(name, new), False)


def _shown(name: str, value: Any) -> str | SafeString:
    if name == "expiry_date":
        return kit.day(clock.parse_moment(value) if value else None)
    if name == "permissions" and value is None:
        return "all that the owner has"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if name == "token_id" and value is None:
        return "none, as it was made elsewhere"
    return str(value or "nothing")
