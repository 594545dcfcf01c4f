"""What may stand in a text field: one rule for pages, API and commands."""

import unicodedata

from keyadmin.kernel import tokens
from keyadmin.kernel.errors import InvalidError

_INVISIBLE = frozenset({"Cf", "Mn", "Zs"})
_LINE_BREAKS = frozenset({"Zl", "Zp"})
# They turn the order of what follows on the line, so that it seems to say something else (Unicode TR 36, 3.2).
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_line(field: str, value: str, *, longest: int, required: bool = True) -> str:
    """One line without control characters, lone surrogates or direction overrides, outer white space removed.

    Raises InvalidError naming the field. Direction marks, accents and any script are text and stay; where something
    is required, something must be visible.
    """
    return _clean(field, value, longest=longest, required=required, allowed="")


def clean_text(field: str, value: str, *, longest: int, required: bool = False) -> str:
    """The same for several lines: tabs and line breaks may stay, CR LF becomes LF."""
    return _clean(field, value.replace("\r\n", "\n"), longest=longest, required=required, allowed="\n\t")


def one_line(text: str) -> str:
    """The text as it may stand on a terminal: one line, where nothing can move the cursor or turn the direction.

    White space is one space each; control characters, lone surrogates and direction overrides become escapes.
    """
    line = " ".join(text.split())
    if line.isprintable():  # without walking through it here: nothing of the kind is
        return line
    return "".join(char if _is_harmless(char) else ascii(char)[1:-1] for char in line)


def kept_line(text: str, longest: int) -> str:
    """What somebody sent, as it may be kept: one line as above, no whole key, at most so many characters.

    Of a text that is far too long the beginning alone is looked at, however long it is.
    """
    most = 10 * longest
    begun = tokens.redact(text[: most + tokens.LONGEST_FORM])
    if len(text) > most + tokens.LONGEST_FORM:
        begun = begun[: -tokens.LONGEST_FORM]  # a key may have been cut there, so that it was not masked
    return one_line(begun[:most])[:longest]


def _is_harmless(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cs", *_LINE_BREAKS) and char not in _TURNS


def _clean(field: str, value: str, *, longest: int, required: bool, allowed: str) -> str:
    if len(value) > longest + 1000:  # far too long: don't walk through it
        raise InvalidError.field(field, f"At most {longest} characters; these are {len(value)}.")
    text = value.strip()
    if tokens.looks_like_key(text):
        raise InvalidError.field(
            field, "That looks like a complete API key. It was not stored; it belongs nowhere here."
        )
    for char in text:
        category = unicodedata.category(char)
        broken = not allowed and category in _LINE_BREAKS
        if (category in ("Cc", "Cs") and char not in allowed) or broken or char in _TURNS:
            raise InvalidError.field(field, f"The character U+{ord(char):04X} can't be used here.")
    if required and all(unicodedata.category(char) in _INVISIBLE for char in text):
        raise InvalidError.field(field, "This must not be empty.")
    if len(text) > longest:
        raise InvalidError.field(field, f"At most {longest} characters; these are {len(text)}.")
    return text
