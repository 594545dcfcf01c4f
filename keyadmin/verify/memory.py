"""What this process knows of keys that were presented with their right secret: bounded, and never a secret itself.

Facts are served only while the epoch that was current before they were read is still current. Dropping them at a
change would not be enough: a reading that began before it could put old facts back after it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, TypeVar, cast

from keyadmin.verify.decide import KeyFacts

MOST: Final = 20_000  # keys; each takes two and a half kilobytes
MOST_ANSWERS: Final = 8  # to different questions about one key
_KEY = secrets.token_bytes(32)
T = TypeVar("T")


@dataclass(slots=True)
class Known:
    """Facts with the epoch of their reading, and what was made of them for some questions.

    What is kept holds as long as the facts do, until `until` (seconds since 1970) at most: then the key expires. Where
    the address counts, nothing is kept.
    """

    epoch: str
    facts: KeyFacts
    until: float = field(init=False)
    answers: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expires = self.facts.expires_at
        self.until = expires.timestamp() if expires else float("inf")

    def answer(self, question: Any, now: float) -> Any:
        """What is kept for a question; None if nothing is."""
        return self.answers.get(question) if now < self.until else None

    def keep(self, question: Any, answer: Any) -> None:
        """Keep an answer."""
        if self.facts.allowed_networks:
            return
        if len(self.answers) >= MOST_ANSWERS:
            self.answers.clear()
        self.answers[question] = answer


_known: dict[bytes, Known] = {}
_proved: dict[bytes, str] = {}
_of_epoch: dict[str, dict[object, Any]] = {}  # of the last one alone
wrong_site_keys: dict[bytes, str] = {}  # marks with the epoch in which they were found wrong


def mark(presented: str) -> bytes:
    """What stands for a presented text in memory: a digest under a key of this process."""
    return blake2b(presented.encode("utf-8", "surrogateescape"), key=_KEY, digest_size=16).digest()


def recall(sign: bytes, epoch: str) -> Known | None:
    """What is known of the key under this mark, if it was read in this epoch."""
    known = _known.get(sign)
    return known if known is not None and known.epoch == epoch else None


def remember(sign: bytes, epoch: str, facts: KeyFacts) -> Known:
    """Keep the facts of a key whose secret matched; `epoch` was current before they were read."""
    known = Known(epoch, facts)
    make_room(_known)
    _known[sign] = known
    return known


def is_proved(sign: bytes, verifier: str) -> bool:
    """Whether this very verifier was once found to fit: it need not be computed again, however slow it is."""
    return _proved.get(sign) == verifier


def prove(sign: bytes, verifier: str) -> None:
    """Note that a verifier fits what the mark stands for."""
    make_room(_proved)
    _proved[sign] = verifier


def of_epoch(epoch: str, name: object, find: Callable[[], T], *, kept: Callable[[T], bool] = lambda _: True) -> T:
    """What `find` says, asked once in an epoch that was current before; each time, where that is not to be `kept`.

    For what is the same whichever key is presented.
    """
    table = _of_epoch.get(epoch)
    if table is None:
        _of_epoch.clear()
        table = _of_epoch[epoch] = {}
    if name in table:
        return cast(T, table[name])
    found = find()
    if kept(found):
        make_room(table)
        table[name] = found
    return found


def forget() -> None:
    """Know nothing any more."""
    _known.clear()
    _proved.clear()
    _of_epoch.clear()
    wrong_site_keys.clear()


def make_room(table: dict[Any, Any]) -> None:
    """Let one more come into a table of marks."""
    if len(table) >= MOST:
        for sign in list(islice(table, MOST // 8)):  # the oldest
            table.pop(sign, None)
