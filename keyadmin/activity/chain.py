"""The hash chain: how an entry is written as text, hashed, linked, and checked again.

Leaf and link hashes are SHA-256 over domain-separated input, as RFC 6962 §2.1 does for its trees. The chain makes
changes evident to whoever holds a later head; alone it stops nobody who can rewrite every row.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from keyadmin.activity.events import EventName, Fields, Target
from keyadmin.activity.models import EMPTY_HASH, Chain, Event
from keyadmin.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has a place in a chain."""

    chain: int
    name: EventName
    actor: Actor
    target: Target
    before: Fields | None
    after: Fields | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a check: how many entries were read, and the first bad one with what is wrong with it."""

    entries: int
    broken_at: int | None = None
    problem: str = ""

    @property
    def consistent(self) -> bool:
        return self.broken_at is None


def leaf_hash(text: str) -> str:
    return hashlib.sha256(b"\x00" + text.encode()).hexdigest()


def link_hash(previous: str, leaf: str) -> str:
    return hashlib.sha256(b"\x01" + bytes.fromhex(previous) + bytes.fromhex(leaf)).hexdigest()


def entry(draft: Draft, head: Chain, time: datetime) -> Event:
    """The next entry of the chain whose head is given, hashed and linked; saved by the caller."""
    actor, target, sequence = draft.actor, draft.target, head.sequence + 1
    text = json.dumps(
        {
            "chain": draft.chain,
            "sequence": sequence,
            "time": _timestamp(time),
            "name": draft.name,
            "actor": {"kind": actor.kind, "id": actor.id, "label": actor.label, "via": actor.via},
            "target": {"kind": target.kind, "id": target.id, "label": target.label},
            "address": actor.address,
            "request_id": actor.request_id,
            "reason": actor.reason,
            "before": draft.before,
            "after": draft.after,
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    leaf = leaf_hash(text)
    return Event(
        previous_hash=head.hash,
        leaf_hash=leaf,
        hash=link_hash(head.hash, leaf),
        text=text,
        **_columns(text),
    )


def check(entries: Iterable[Event], head: Chain | None) -> Verdict:
    """Read a whole chain in order of sequence and compare it with itself and with its head."""
    count, previous = 0, EMPTY_HASH
    for event in entries:
        problem = _problem(event, expected=count + 1, previous=previous)
        if problem:
            return Verdict(count, count + 1, problem)
        count, previous = count + 1, event.hash
    if head is not None and (head.sequence != count or head.hash != previous):
        return Verdict(count, count + 1, f"the head says {head.sequence} entries, {count} are here")
    return Verdict(count)


def _problem(event: Event, *, expected: int, previous: str) -> str:
    if event.sequence != expected:
        return f"entry {expected} is missing"
    if event.previous_hash != previous:
        return "it does not follow the entry before it"
    if event.leaf_hash != leaf_hash(event.text) or event.hash != link_hash(previous, event.leaf_hash):
        return "its text was changed after it was written"
    if any(getattr(event, name) != value for name, value in _columns(event.text).items()):
        return "its columns were changed after it was written"
    return ""


def _columns(text: str) -> dict[str, object]:
    """The columns that repeat the text, always computed from it, so that they can be checked against it."""
    body = json.loads(text)
    return {
        "chain": body["chain"],
        "sequence": body["sequence"],
        "time": datetime.fromisoformat(body["time"]),
        "name": body["name"],
        "actor_kind": body["actor"]["kind"],
        "actor_id": body["actor"]["id"],
        "actor_label": body["actor"]["label"][:300],
        "target_kind": body["target"]["kind"],
        "target_id": body["target"]["id"],
        "target_label": body["target"]["label"][:300],
        "member_id": {**(body["before"] or {}), **(body["after"] or {})}.get("member_id"),
        "address": body["address"],
        "request_id": body["request_id"],
    }


def _timestamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")
