"""The master key: 32 bytes outside database and backups, from which every other secret of ours is derived.

One key to keep safe; each use has a key of its own (HKDF, RFC 5869), so that one that leaks opens no other.
"""

import os
import re
import secrets
import tempfile
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_KEY_BYTES: Final = 32
_BASE64_OF_32_BYTES = re.compile(r"[0-9A-Za-z+/_-]{43}=?")


class MasterKeyError(ValueError):
    """The master key can't be used; the text is one line that says what to do and never shows the key."""


@dataclass(frozen=True, slots=True)
class Master:
    """The master key. Ask it for derived keys; nothing else should touch its bytes."""

    _key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self._key) != MASTER_KEY_BYTES:
            raise MasterKeyError(f"The master key must be {MASTER_KEY_BYTES} bytes.")

    @classmethod
    def from_base64(cls, text: str) -> Self:
        """The key from its base64 text: standard or URL-safe alphabet, padding optional.

        White space around it is ignored. Raises MasterKeyError for anything that is not 32 bytes.
        """
        stripped = text.strip()
        if not _BASE64_OF_32_BYTES.fullmatch(stripped):
            raise MasterKeyError("The master key is not base64 of 32 bytes (44 characters).")
        return cls(b64decode(stripped.rstrip("=").replace("-", "+").replace("_", "/") + "="))

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """`length` bytes (1 to 8160) for one purpose: HKDF-SHA256 without salt, info `keyadmin/<purpose>`.

        The salt may be left out because the master key is uniformly random (RFC 5869, 3.1 and 3.3).
        Raises ValueError for an empty purpose or a length out of range.
        """
        if not purpose:
            raise ValueError("A derived key needs a purpose.")
        if length < 1:
            raise ValueError("A derived key has at least one byte.")
        info = b"keyadmin/" + purpose.encode()
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(self._key)

    @property
    def fingerprint(self) -> str:
        """32 hex digits that tell one master key from another, and nothing about it: safe in the database."""
        return self.derive("fingerprint", 16).hex()

    def peppers(self, count: int = 1) -> dict[int, bytes]:
        """The peppers 1 to `count`, 32 bytes each. A larger count keeps the earlier ones as they were."""
        return {number: self.derive(f"pepper/{number}") for number in range(1, count + 1)}


def load_or_create(path: Path) -> Master:
    """The master key in the file `path`; the first caller makes the file, once, for everybody.

    Of several processes that start together one wins and all return its key. The file gets mode 0600, a
    missing directory 0700, and both are on disk (fsync) before the key is used. Raises MasterKeyError if the
    file can be read by others, is empty or garbled, or can't be read or written.
    """
    try:
        if not path.exists():
            _create(path)
    except OSError as error:
        raise MasterKeyError(f"The master key {path} can't be created: {error.strerror}.") from error
    return _read(path, forbidden=0o077, remedy=f"chmod 600 {path}")


def load(path: Path) -> Master:
    """The master key in an existing file that the operator provides (KEYADMIN_MASTER_KEY_FILE).

    Its group may read it: Kubernetes with `fsGroup`, Docker and systemd hand a secret to a service that way,
    and the service can't change the mode of a mount. Everybody else may not: on a host that is a leak, and
    each of those tools can mount it 0440.
    Raises MasterKeyError like `load_or_create`, and if there is no file.
    """
    return _read(path, forbidden=0o007, remedy=f"chmod o-rwx {path}, or mount it with mode 0440")


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written whole under another name, then linked: the name never shows a half-written key, and a link,
    # unlike a rename, does not replace the file of a process that was faster.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".master-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b64encode(secrets.token_bytes(MASTER_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # the other process's key is as good
            os.link(temporary, path)
    finally:
        os.unlink(temporary)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path, *, forbidden: int, remedy: str) -> Master:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a FIFO in this place must not hang the start
        try:
            mode = os.fstat(handle).st_mode  # of what was opened, not of what the name means by now
            content = os.read(handle, 1024)
        finally:
            os.close(handle)
    except OSError as error:
        raise MasterKeyError(f"The master key {path} can't be read: {error.strerror}.") from error
    if mode & forbidden:
        raise MasterKeyError(f"The master key {path} is open to other users: {remedy}")
    try:
        return Master.from_base64(content.decode("ascii"))
    except ValueError:  # not chained: a decoding error carries the content
        raise MasterKeyError(f"The file {path} does not hold a master key (base64 of 32 bytes).") from None
