"""Flairs: tags in square brackets in a key's name, such as `orchestration-key[bulk]`. Derived, never stored."""

import re

_FLAIR = re.compile(r"\[([^\[\]]+)\]")

PURPOSES = {
    "bulk": "raises the key's rate limit",
    "segment": "limits the key to what it created itself",
}
EFFECTIVE = frozenset(PURPOSES)


def flairs_of(name: str) -> list[str]:
    """The flairs of a name in order, without repetitions; unknown ones are plain tags."""
    return list(dict.fromkeys(tag for raw in _FLAIR.findall(name) if (tag := raw.strip())))


def effective_flairs(name: str) -> frozenset[str]:
    """Those flairs of a name that change what the key does."""
    return EFFECTIVE.intersection(flairs_of(name))


def without_flairs(name: str) -> str:
    """The name alone: `orchestration-key`."""
    return _FLAIR.sub(" ", name).strip()
