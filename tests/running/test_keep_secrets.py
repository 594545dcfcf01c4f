"""A secret that was shown once is nowhere: not in the databases, their journals, logs at DEBUG, session rows.

Each key carries a secret that is searched for whole, by its 32 secret characters, by half of them, and in the
encodings in which it could have been written by accident.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import psycopg
import pytest

from tests.running.installation import PASSWORD, Installation, installation, submit

QUERY_CANARY = "canaryinthequery"


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    noise = {"KEYADMIN_DEBUG": "on", "DJANGO_SETTINGS_MODULE": "tests.running.noisy"}
    with installation(tmp_path_factory.mktemp("noisy"), **noise) as made:
        made.start()
        yield made


def forms(secret: str) -> list[bytes]:
    """A secret as it is, its secret part, half of that, and all of it in other clothes."""
    plain = [secret]
    if secret.startswith("ka_"):
        body = secret.split("_")[2][12:44]
        plain += [body, body[:16], body[16:], body[:16].lower(), body[16:].lower()]
    found = []
    for text in plain:
        raw = text.encode()
        padded = [base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 : -4] for shift in (0, 1, 2)]
        everywhere = "".join(f"%{byte:02X}" for byte in raw).encode()
        found += [
            raw,
            raw[::-1],
            raw.hex().encode(),
            quote(text).encode(),
            everywhere,
            raw.decode().encode("utf-16-le"),
        ]
        found += [part for part in padded if len(part) >= 16]
    return sorted(set(found))


def places(made: Installation) -> Iterator[tuple[str, bytes]]:
    """Everything that an installation writes: its data directory, its output, the database server's files.

    But for the tables of other databases in that server.
    """
    folders, databases, own = [made.data], Path(), ""
    url = made.environment.get("DATABASE_URL")
    if url:
        (socket_directory,) = parse_qs(urlsplit(url).query)["host"]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            ((own,),) = connection.execute("SELECT oid::text FROM pg_database WHERE datname = current_database()")
        folders.append(Path(socket_directory))
        databases = Path(socket_directory, "data", "base")
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and (path.parent.parent != databases or path.parent.name == own):
                yield str(path), path.read_bytes()
    yield "standard output", re.sub(r"(?m)^  http://\S+/setup/\S+$", "", made.output).encode()
    yield "standard error", made.errors.encode()


def misuse(made: Installation, secret: str, browser: httpx.Client) -> None:
    """The secret in every place where it does not belong."""
    quoted = quote(secret)
    basic = base64.b64encode(f"{secret}:{secret}".encode()).decode()
    for path in ("/api/v1/whoami", "/api/v1/api-keys", "/crm/customers", "/", "/sign-in/", "/no/such/page"):
        for headers in (
            {},
            {"Authorization": f"Bearer {secret}"},
            {"Authorization": f"Basic {basic}"},
            {"Authorization": secret},
            {"Cookie": f"X-API-KEY={secret}; keyadmin={secret}; keyadmin-csrf={secret}"},
            {"X-API-KEY": f"{secret}, {secret}"},
            {"X-API-KEY": secret[:-1]},
            {"X-API-KEY": f"{secret}x"},
            {"X-API-KEY": secret.swapcase()},
            {"X-Request-Id": secret, "X-Organization": secret, "X-Reason": secret},
            {"Host": f"{secret}.example.org"},
            {"Origin": f"http://{secret}", "Referer": f"http://{secret}/", "User-Agent": secret},
        ):
            made.get(f"{path}?api_key={quoted}&{QUERY_CANARY}={quoted}", **headers)
    for path in (
        f"/{quoted}",
        f"/api/v1/api-keys/{quoted}",
        f"/setup/{quoted}/",
        f"/docs/{quoted}",
        f"/static/{quoted}",
    ):
        made.get(path)
        made.get(path, key=secret)
    good = {"X-API-KEY": secret}
    for query in ("search", "organization", "status", "owner", "page", "sort"):
        made.get(f"/api/v1/api-keys?{query}={quoted}", key=secret)
    made.get("/api/v1/whoami", key=secret, **{"X-Organization": secret})
    for method, path, body in (
        ("POST", "/api/v1/api-keys", {"name": secret, "permissions": [secret]}),
        ("POST", "/api/v1/api-keys", {"name": "x", "organization": secret}),
        ("POST", "/api/v1/api-keys", {"name": "x", secret: secret}),
        ("POST", "/api/v1/api-keys", {"name": "x" * 81, "description": secret}),
        ("POST", "/api/v1/api-keys", {"name": "x", "expiry_date": secret, "allowed_networks": [secret]}),
        ("PATCH", "/api/v1/api-keys/1", {"name": secret, "nonsense": secret}),
        ("POST", "/api/v1/whoami", {"api_key": secret}),
        ("POST", "/crm/customers", {"api_key": secret}),
        ("POST", "/no/such/page", {"api_key": secret}),
    ):
        sent = {**good, "Idempotency-Key": secret, "If-Match": secret, "X-Reason": "x" * 300 + secret}
        assert browser.request(method, path, json=body, headers=sent).status_code >= 400
        assert browser.request(method, path, json=body, headers={"Idempotency-Key": secret}).status_code >= 400
    with made.browser() as stranger:
        assert submit(stranger, "/sign-in/", {"login": secret, "password": secret}).status_code == 200
        assert submit(stranger, "/sign-in/", {"login": f"{secret}@example.org", "password": secret}).status_code == 200
    for arguments in (["show_key", secret], ["list_keys", "--search", secret], ["list_keys", "--organization", secret]):
        done = made.run(*arguments)
        assert secret[20:40] not in done.stdout + done.stderr


def entered(made: Installation, browser: httpx.Client, csrf: dict[str, str]) -> list[str]:
    """Secrets made elsewhere, entered for the person who is signed in: refused first, then taken and used."""
    strong, weak = "Zq7~vN2xK9.tB4mR8_sW1cY6-hJ3pL5dF0g", "canary-horse-battery-staple-2024"
    assert browser.put("/api/v1/users/1/api-key", json={"api_key": f"{strong}!"}, headers=csrf).status_code == 422
    form = {"nonce": "n" * 32, "how": "given", "expiry": "90", "api_key": f"{weak} "}
    page = "/o/acme/settings/members/1/api-key/"
    assert submit(browser, page, form).status_code == 422
    for secret in (weak, strong):
        assert browser.put("/api/v1/users/1/api-key", json={"api_key": secret}, headers=csrf).status_code == 200
        assert made.get("/api/v1/whoami", key=secret).status_code == 200
    assert submit(browser, page, {**form, "api_key": strong}).status_code == 303
    return [weak, strong]


def test_secrets_are_nowhere(noisy: Installation) -> None:
    (link,) = re.findall(r"/setup/[A-Za-z0-9_-]{43}/", noisy.output)
    with noisy.browser() as browser:
        form = {"organization": "Acme", "name": "Dana", "email": "dana@example.org", "password": PASSWORD}
        assert submit(browser, link, form).status_code == 302
        assert submit(browser, "/sign-out/", {}).status_code == 302
        assert submit(browser, "/sign-in/", {"login": "dana@example.org", "password": PASSWORD}).status_code == 302

        secrets = [
            noisy.secret(
                "create_key", "--name", "By command", "--permission", "view_customer", "--permission", "apikey.ctrl"
            )
        ]
        csrf = {"X-CSRFToken": browser.cookies["keyadmin-csrf"], "Origin": noisy.address, "Idempotency-Key": "once"}
        made = browser.post("/api/v1/api-keys", json={"name": "By REST", "permissions": ["*"]}, headers=csrf)
        assert made.status_code == 201, made.text
        secrets.append(made.json()["api_key"])
        key = f"/api/v1/api-keys/{made.json()['api_key_id']}"
        renewed = browser.post(f"{key}/regenerate", headers=csrf)
        assert renewed.status_code == 200, renewed.text
        secrets.append(renewed.json()["api_key"])
        # A key of another installation: well-formed, unknown here.
        secrets.append(noisy.secret("create_key", "--name", "Unknown"))
        assert noisy.run("delete_key", "3").returncode == 0
        for secret in secrets:
            noisy.get("/api/v1/whoami", key=secret)
            noisy.get("/crm/customers", key=secret)
        misuse(noisy, secrets[0], browser)
        misuse(noisy, secrets[-1], browser)
        secrets += entered(noisy, browser, csrf)
        assert browser.post(f"{key}/revoke", headers=csrf).status_code == 200
        secrets.append(noisy.secret("regenerate_key", "1"))
        assert noisy.get("/api/v1/whoami", key=secrets[0]).status_code == 401

    token = link.split("/")[2]
    needles = {form: secret for secret in [*secrets, token, PASSWORD] for form in forms(secret)}
    needles[QUERY_CANARY.encode()] = "query string"
    public = {secret.split("_")[2][:12].encode() for secret in secrets[:3]}
    hits, found = [], set()
    seen = 0
    for place, content in places(noisy):
        seen += len(content)
        hits += [(place, needles[needle], needle) for needle in needles if needle in content]
        found |= {part for part in public if part in content}
    assert hits == []
    # The search could have found something: this is where a public part of each key stands.
    assert seen > 300_000
    assert found == public
    assert "DEBUG" in noisy.errors
