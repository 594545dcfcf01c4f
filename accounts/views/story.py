"""What happened to a user, group or policy, in words: the activity log as components/story.html tells it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from accounts import listings, queries
from accounts.models import Group, Organization, User
from accounts.views.common import may_look
from keyadmin.activity import queries as activity
from keyadmin.activity import words
from keyadmin.activity.models import Event
from keyadmin.kernel.actor import Actor

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
# On the page of a user: what happened to something else and reached the user.
OF_USER = {
    "group.member_added": "Added to group {}",
    "group.member_removed": "Removed from group {}",
    "group.updated": "Group {} changed",
    "policy.updated": "Policy {} changed",
    "invitation.accepted": "Accepted an invitation",
}
# The same, where the user is what the entry is about.
TO_USER = {"membership.created": "Added to the organisation", "membership.removed": "Removed from the organisation"}


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


def story(kind: str, pk: int, organization: Organization, *, named: bool = True) -> list[Step]:
    """The newest entries of the organisation's log about a thing; `named`: with the names of members."""
    return _told(activity.about(kind, pk, organization.pk, SHOWN), named=named)


def story_of_user(actor: Actor, user: User, organization: Organization) -> list[Step]:
    """The same for a user, with what came to them and went by way of groups, as far as the actor may look at these."""
    about = activity.about_user(user.pk, organization.pk, SHOWN)
    events = activity.newest(about, _reaching(actor, user, organization), number=SHOWN)
    return _told(events, user=user)


def _told(events: Iterable[Event], *, named: bool = True, user: User | None = None) -> list[Step]:
    labels = {row.name: row.label for row in queries.permissions()}
    return [_step(event, labels, named=named, user=user) for event in events]


def _reaching(actor: Actor, user: User, organization: Organization) -> list[Event]:
    """What was done to the policies of a user's groups since the user has them, and what was done in these policies."""
    groups = listings.groups_of(user, organization) if may_look(actor, "group") else []
    since = _since(user, groups, organization)
    regiven = [
        event
        for event in activity.edits("group", since, organization.pk, SHOWN)
        if event.sequence > since[event.target_id or 0] and "policies" in _fields(event)[1]
    ]
    reached: dict[int, int] = {}
    for group in groups if may_look(actor, "policy") else ():
        for policy in group.policies.all():
            given = [one.sequence for one in regiven if one.target_id == group.pk and policy.name in _come(one)]
            came = max([since[group.pk], *given])
            reached[policy.pk] = min(came, reached.get(policy.pk, came))
    rewritten = [
        event
        for event in activity.edits("policy", reached, organization.pk, SHOWN)
        if event.sequence > reached[event.target_id or 0] and "patterns" in _fields(event)[1]
    ]
    return activity.newest(regiven, rewritten, number=SHOWN)


def _since(user: User, groups: Iterable[Group], organization: Organization) -> dict[int, int]:
    """By group, the place in the log where the user came into it: by itself, or with an invitation."""
    joined = activity.joined(user.pk, organization.pk)
    invited = max((at for (kind, _), at in joined.items() if kind == "invitation"), default=0)
    return {group.pk: max(joined.get(("group", group.pk), 0), invited) for group in groups}


def _come(event: Event) -> set[str]:
    """The names of the policies that an edit gave to a group."""
    before, after = _fields(event)
    return set(after["policies"]) - set(before["policies"])


def _fields(event: Event) -> tuple[dict[str, Any], dict[str, Any]]:
    body = json.loads(event.text)
    return body["before"] or {}, body["after"] or {}


def _step(event: Event, labels: dict[str, str], *, named: bool, user: User | None) -> Step:
    body: dict[str, Any] = json.loads(event.text)
    before, after = _fields(event)
    act = event.name.rpartition(".")[2]
    edited = act == "updated" or event.name == "organization.updated"
    changes = [change_of(name, before.get(name), after[name], labels) for name in after if edited]
    said = _said(event, {**before, **after} if named else {}, user)
    via, reason = body["actor"]["via"], body["reason"]
    return Step(said, ICONS.get(act, "info"), event.time, event.actor_label, via, reason, changes)


def _said(event: Event, fields: dict[str, Any], user: User | None) -> str:
    """What happened, for the page of what the entry is about; on that of a `user`, what came by a group names it."""
    act = event.name.rpartition(".")[2]
    if user is not None and event.target_kind != "user":
        return OF_USER.get(event.name, "{} changed").format(event.target_label)
    if event.name in TO_USER:
        return TO_USER[event.name]
    if act in ("created", "updated", "disabled", "enabled"):
        return {"updated": "Changed"}.get(act, act.capitalize())
    said = words.action(event.name, fields)
    return said.removesuffix(" to group").removesuffix(" from group") if act.startswith("member_") else said


def change_of(name: str, old: Any, new: Any, labels: dict[str, str]) -> Change:
    """One field before and after, in words; `labels` are those of permissions."""
    field = words.field(name)
    if isinstance(old, list) and isinstance(new, list):
        gone = [labels.get(one, str(one)) for one in old if one not in new]
        come = [labels.get(one, str(one)) for one in new if one not in old]
        return Change(field, ", ".join(gone), ", ".join(come), True)
    return Change(field, str(old or "nothing"), str(new or "nothing"), False)
