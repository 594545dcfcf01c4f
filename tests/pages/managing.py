"""How the tests of the key pages ask: a person at a page of acme."""

import re
from typing import Any

from django.test import Client

KEYS = "/o/acme/keys/"
NEW = f"{KEYS}new/"
SECRET = re.compile(r"ka_(?:live|test)_[0-9A-Za-z]{50,}")


def page(client: Client, path: str, status: int = 200) -> str:
    """The text of a page that answers as expected."""
    response = client.get(path)
    assert response.status_code == status, (path, response.status_code)
    return str(response.content.decode())


def nonce_of(client: Client, path: str = NEW) -> str:
    found = re.search(r'name="nonce" value="(\w+)"', page(client, path))
    assert found
    return found[1]


def fields(**changes: Any) -> dict[str, Any]:
    """The form of a new key, as it is sent when only a name was typed."""
    return {
        "name": "Billing sync",
        "description": "",
        "kind": "organization",
        "owner": "",
        "expiry": "90",
        "expiry_date": "",
        "mode": "read_only",
        "environment": "live",
        "networks": "",
        "nonce": "n" * 32,
        **changes,
    }


def version_of(client: Client, path: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page(client, path))
    assert found
    return found[1]
