"""Mail to people, sent after the answer: how long it takes says who has an account, and no server holds up a page."""

import logging
from concurrent.futures import ThreadPoolExecutor

from django.core.mail import EmailMessage

log = logging.getLogger("keyadmin")
_postman = ThreadPoolExecutor(1, "mail")


def post(message: EmailMessage) -> None:
    """Hand a message over. That it can't be sent is logged, without address or text."""
    _postman.submit(_send, message)


def wait() -> None:
    """Return when all mail that was handed over by now has left."""
    _postman.submit(lambda: None).result()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError as error:  # smtplib's errors are
        log.error("A message could not be sent: %s", type(error).__name__)
