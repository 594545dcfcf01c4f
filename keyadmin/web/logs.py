"""What may stand in a log: no whole key, and no path of a one-use link, wherever they come from."""

import logging
import re

from keyadmin.kernel import tokens

_LINK = re.compile(r"(/(?:setup|invitation|sign-in/reset)/)[A-Za-z0-9_%-]+")


class NoSecrets(logging.Filter):
    """Masks keys and one-use links in every record, tracebacks too."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "django.template":  # at DEBUG it writes out whole contexts, the query string among them
            return False
        record.msg, record.args = masked(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = masked(logging.Formatter().formatException(record.exc_info))
        return True


def masked(text: str) -> str:
    """The text with each whole key in its masked form and each one-use link without its token."""
    return _LINK.sub(r"\1***", tokens.redact(text))
