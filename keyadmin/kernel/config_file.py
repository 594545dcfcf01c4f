"""The file `config.yml`: lines of `name: number`, comments and blank lines, and nothing else of YAML."""

import re
from pathlib import Path
from typing import Final

from keyadmin.kernel import hashing
from keyadmin.kernel.text import kept_line, one_line

ROUNDS_NAME: Final = "api_key_rounds_no"
NUMBERS: Final = {ROUNDS_NAME: (1, hashing.MOST_ROUNDS)}  # name: lowest, highest
MOST_BYTES: Final = 65_536
LONGEST_NAME: Final = 60
_LINE = re.compile(r"(\w+):[ \t]+(\d+)(?:[ \t]+#.*)?[ \t]*", re.ASCII)
_NOTHING = re.compile(r"[ \t]*(?:#.*)?")


class ConfigFileError(ValueError):
    """One line for the operator: which file is wrong, in which line, why, and what would be right."""


def read(path: Path) -> dict[str, int]:
    """The numbers in the file by name; none if there is no such file.

    Raises ConfigFileError for a file that can't be read, an unknown name, a name given twice, a number out of range,
    and any line of another form. Values of another form are never repeated: a secret may have been pasted there.
    """
    found: dict[str, int] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        try:
            named = _parsed(line.removesuffix("\r"))
            if named and named[0] in found:
                raise ValueError(f"{named[0]} is given twice.")
        except ValueError as error:
            raise ConfigFileError(f"{one_line(str(path))}, line {number}: {error}") from None
        found.update([named] if named else [])
    return found


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe would keep us waiting
            raise ConfigFileError(f"{one_line(str(path))}: this is not a file.")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigFileError(f"{one_line(str(path))}: can't be read: {error.strerror}.") from None
    if len(content) > MOST_BYTES:
        raise ConfigFileError(f"{one_line(str(path))}: this is longer than {MOST_BYTES} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigFileError(f"{one_line(str(path))}: this is not text in UTF-8.") from None


def _parsed(line: str) -> tuple[str, int] | None:
    """What one line says; None for a comment and a blank line."""
    if _NOTHING.fullmatch(line):
        return None
    name = line.partition(":")[0]
    if ":" in line and re.fullmatch(r"\w+", name) and name not in NUMBERS:
        shown = kept_line(name, LONGEST_NAME)
        raise ValueError(f"{shown} is no setting; there is {', '.join(NUMBERS)}.")
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"write it as {ROUNDS_NAME}: {hashing.DEFAULT_ROUNDS} (a name, a colon, a space, a number).")
    low, high = NUMBERS[name]
    digits = match[2]
    if digits != digits.lstrip("0") or len(digits) > len(str(high)) or not low <= int(digits) <= high:
        raise ValueError(f"{name} is not a whole number from {low} to {high}.")
    return name, int(digits)
