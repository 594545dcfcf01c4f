"""Mail where no server is configured: kept in the data directory, for instance administrators to read and pass on."""

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from keyadmin.kernel import clock
from keyadmin.kernel.errors import NotFoundError

KEPT = 200
_NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Letter:
    """One kept message. `name` is its file's, without an ending."""

    name: str
    at: datetime
    to: str
    subject: str
    body: str


class KeepingBackend(BaseEmailBackend):
    """Writes each message into a file of its own that only this account can read; the oldest ones go."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """How many were kept. Raises OSError."""
        settings.MAIL_DIR.mkdir(mode=0o700, exist_ok=True)
        for message in email_messages:
            path = settings.MAIL_DIR / f"{clock.now():%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.eml"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(message.message().as_bytes())
        for old in _files()[KEPT:]:
            old.unlink(missing_ok=True)
        return len(email_messages)


def kept() -> list[Letter]:
    """All kept messages, the newest first."""
    return [_read(path) for path in _files()]


def letter(name: str) -> Letter:
    """One of them. Raises NotFoundError."""
    path = settings.MAIL_DIR / f"{name}.eml"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFoundError("There is no such message.")
    return _read(path)


def _files() -> list[Path]:
    return sorted((path for path in settings.MAIL_DIR.glob("*.eml") if _NAME.fullmatch(path.stem)), reverse=True)


def _read(path: Path) -> Letter:
    parsed = message_from_bytes(path.read_bytes(), Parsed, policy=policy.default)
    body = parsed.get_body(("plain",))
    at = datetime.strptime(path.stem[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return Letter(path.stem, at, str(parsed["To"]), str(parsed["Subject"]), "" if body is None else body.get_content())
