"""Mail to people, sent after the answer: how long it takes says who has an account, and no server holds up a page."""

import logging
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accounts.models import Invitation

log = logging.getLogger("keyadmin")
_postman = ThreadPoolExecutor(1, "mail")


def post(message: EmailMessage) -> None:
    """Hand a message over. That it can't be sent is logged, without address or text."""
    _postman.submit(_send, message)


def deliver(invitation: Invitation, link: str) -> bool:
    """Send the link of an invitation to its address; False where no mail server is set: whoever invites hands it over.

    Where one is set, nobody else sees the link: it would let them take an address that is not theirs.
    """
    if settings.ENV.mail is None:
        return False
    text = render_to_string("account/email/invitation.txt", {"invitation": invitation, "link": link})
    post(EmailMessage(f"Join {invitation.organization.name} on Keyadmin", text, to=[invitation.email]))
    return True


def wait() -> None:
    """Return when all mail that was handed over by now has left."""
    _postman.submit(lambda: None).result()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError as error:  # smtplib's errors are
        log.error("A message could not be sent: %s", type(error).__name__)
