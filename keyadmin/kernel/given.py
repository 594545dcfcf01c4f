"""Secrets made elsewhere: what may be one, how strong it looks, and the bucket by which it is found.

They hold no token id, so a presented one is found by 40 bits of a keyed hash: enough to have hardly ever two in one
bucket, too few to test a guess against, and without the key they are worth nothing.
"""

import hmac
import math
import re
from typing import Final

from keyadmin.kernel import tokens
from keyadmin.kernel.errors import InvalidError

SHORTEST: Final = 16
LONGEST: Final = 256
STRONG_BITS: Final = 112  # OWASP ASVS 5.0, 6.5.2: from here on a plain keyed hash is enough
BUCKET_BYTES: Final = 5

_CHARACTERS = re.compile(r"[A-Za-z0-9._~-]*")
_WHOLE = re.compile(rf"[A-Za-z0-9._~-]{{{SHORTEST},{LONGEST}}}")

# The usual alphabets, the smallest first, with the number of characters in each.
_ALPHABETS: Final = (
    (re.compile(r"[0-9]*"), 10),
    (re.compile(r"[0-9a-f]*|[0-9A-F]*"), 16),
    (re.compile(r"[a-z]*|[A-Z]*"), 26),
    (re.compile(r"[0-9a-z]*|[0-9A-Z]*"), 36),
    (re.compile(r"[A-Za-z]*"), 52),
    (re.compile(r"[0-9A-Za-z]*"), 62),
)
_NAMES: Final = {" ": "space", "\t": "tab", "\n": "line break", "\r": "line break"}
_WORD = re.compile(r"[A-Z][a-z]{3,}|[a-z]{4,}|[A-Z]{4,}")
_WORD_BITS: Final = 2.0  # for each letter; printed English has less (Shannon 1951: 0.6 to 1.3)
_KNOWN_LENGTH: Final = 4


def could_be(text: str) -> bool:
    """Whether a presented text may be a secret made elsewhere; no for what is in the form of our own keys."""
    return _WHOLE.fullmatch(text) is not None and not tokens.has_form(text)


def check(text: str, shortest: int) -> None:
    """Raise InvalidError naming the character or the length that a secret made elsewhere can't have.

    `shortest` is what the organisation demands, never less than SHORTEST. A text in the form of our own keys is
    refused: one day it could be generated for somebody else.
    """
    if len(text) > LONGEST:
        raise _refused(f"At most {LONGEST} characters; these are {len(text)}.")
    allowed = _CHARACTERS.match(text)
    end = allowed.end() if allowed else 0
    if end < len(text):
        raise _refused(
            f"The character {_named(text[end])} can't be used in an API key. Use letters, digits and . _ ~ - only."
        )
    least = max(shortest, SHORTEST)
    if len(text) < least:
        raise _refused(f"At least {least} characters; these are {len(text)}.")
    if tokens.has_form(text):
        raise _refused("That has the form of a key that is made here. Generate one instead.")


def bits(text: str) -> int:
    """How many bits of chance a secret holds at most likely; rather too few than too many.

    Each letter and digit counts as much as the smallest usual alphabet that holds all of them gives. One that could
    be foretold counts nothing: it goes on with a row (aaa, 123, cba), or ends four characters that stood before.
    Where two thirds of the letters stand in what could be words, these count little. Punctuation counts nothing.
    """
    each = _bits_of_a_character("".join(filter(str.isalnum, text)))
    in_words = _places_in_words(text)
    folded, seen, total = text.lower(), set[str](), 0.0
    for place, char in enumerate(folded):
        past = folded[max(0, place + 1 - _KNOWN_LENGTH) : place + 1]
        foretold = (len(past) == _KNOWN_LENGTH and past in seen) or _is_row(past[-3:])
        seen.add(past)
        if char.isalnum() and not foretold:
            total += min(each, _WORD_BITS) if place in in_words else each
    return math.floor(total)


def is_strong(text: str) -> bool:
    """Whether a keyed hash is enough for it, and its last four characters may be shown."""
    return bits(text) >= STRONG_BITS


def tail(text: str) -> str:
    """What may be shown of it: the last four characters of a strong one, else nothing."""
    return text[-tokens.TAIL_LENGTH :] if is_strong(text) else ""


def bucket(key: bytes, text: str) -> int:
    """Where it is found: 40 bits of HMAC-SHA-256 (RFC 2104) under a key of its own."""
    return int.from_bytes(hmac.digest(key, text.encode(), "sha256")[:BUCKET_BYTES])


def _bits_of_a_character(text: str) -> float:
    return next(math.log2(size) for alphabet, size in _ALPHABETS if alphabet.fullmatch(text))


def _places_in_words(text: str) -> set[int]:
    """Where runs of four letters or more stand, if they hold two thirds of all letters: by chance they rarely do."""
    found = {place for word in _WORD.finditer(text) for place in range(*word.span())}
    return found if len(found) * 3 >= sum(map(str.isalpha, text)) * 2 else set()


def _is_row(three: str) -> bool:
    """aaa, abc, 321: three characters with one step between them, of at most one."""
    if len(three) < 3:
        return False
    first, second, third = map(ord, three)
    return second - first == third - second and abs(third - second) <= 1


def _named(char: str) -> str:
    if char in _NAMES:
        return _NAMES[char]
    return f"“{char}”" if "!" <= char <= "~" else f"U+{ord(char):04X}"


def _refused(message: str) -> InvalidError:
    return InvalidError.field("api_key", message)
