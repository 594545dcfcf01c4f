"""Run by a test in processes of its own, in the environment of an installation: guess passwords and codes.

`python -m tests.running.guesser password WRONG...`, `... code PASSWORD CODE...` prints the answer to each try:
`in`, `wrong` or `too many`. `... forget` lets them all be forgotten.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
django.setup()

from django.core.cache import cache  # noqa: E402
from django.test import Client  # noqa: E402

LOGIN = "dana@example.org"


def answer(client: Client, path: str, fields: dict[str, str]) -> str:
    response = client.post(path, fields, headers={"host": "localhost"})
    if response.status_code == 302:
        return "in"
    return "too many" if "Too many attempts" in response.content.decode() else "wrong"


def try_password(password: str) -> str:
    return answer(Client(), "/sign-in/", {"login": LOGIN, "password": password})


def try_code(password: str, code: str) -> str:
    client = Client()
    assert answer(client, "/sign-in/", {"login": LOGIN, "password": password}) == "in"
    return answer(client, "/sign-in/2fa/", {"code": code})


if __name__ == "__main__":
    what, *tries = sys.argv[1:]
    done = [try_password(guess) for guess in tries] if what == "password" else []
    if what == "code":
        done = [try_code(tries[0], code) for code in tries[1:]]
    if what == "forget":
        cache.clear()
    sys.stdout.write(json.dumps(done))
