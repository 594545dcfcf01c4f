"""How the tests of second factors and passwords act: codes of an authenticator app, links out of kept mail."""

import base64
import hashlib
import hmac
import re
import struct
import time
from typing import Any

from django.conf import settings
from django.test import Client

from accounts.mail import wait as wait_for_mail
from keyadmin.instance import mail
from tests.world import PASSWORD

STEP = 30


def code_of(secret: str, *, steps: int = 0, at: float | None = None) -> str:
    """What an authenticator app shows (RFC 6238) so many steps later."""
    counter = int((time.time() if at is None else at) // STEP) + steps
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def shown(response: Any, element: str) -> str:
    """The text of the element with this id."""
    found = re.search(rf'id="{element}"[^>]*>([^<]*)<', response.content.decode())
    assert found, response.content.decode()
    return found[1]


def turn_on_app(client: Client) -> tuple[str, list[str]]:
    """Set up the authenticator app of who is signed in: its secret and the recovery codes."""
    secret = shown(client.get("/me/security/app/"), "totp-secret")
    response = client.post("/me/security/app/", {"code": code_of(secret, steps=-1)}, follow=True)
    assert response.redirect_chain == [("/me/security/codes/", 302)], response.content.decode()
    return secret, shown(response, "codes").split()


def by_password(email: str, password: str = PASSWORD, **options: Any) -> tuple[Client, Any]:
    client = Client(**options)
    return client, client.post("/sign-in/", {"login": email, "password": password})


def link_in_mail(to: str) -> str:
    """The path of the link in the newest message that was kept for an address."""
    wait_for_mail()
    letter = next(letter for letter in mail.kept() if letter.to == to)
    found = re.search(r"http://testserver(/\S+)", letter.body)
    assert found, letter.body
    return found[1]


def forget_mail() -> None:
    for path in settings.MAIL_DIR.glob("*"):
        path.unlink()
