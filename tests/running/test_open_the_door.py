"""The journey of a newcomer: start, make a key, use it, revoke it. Nobody had to click anything."""

import http.client
import socket
import subprocess
import sys
import time

import pytest

from tests.running.installation import PASSWORD, ROOT, Installation, origin, submit
from tests.running.revoking import Office


def test_key_opens_until_it_is_revoked(running: Installation) -> None:
    secret = running.secret("create_key", "--name", "Journey", "--permission", "view_customer")
    answer = running.get("/api/v1/whoami", key=secret)
    assert answer.status_code == 200
    masked = answer.json()["masked_key"]

    assert running.run("revoke_key", masked, "--reason", "end of the journey").returncode == 0

    assert running.get("/api/v1/whoami", key=secret).status_code == 401


def test_sample_opens_to_the_permission_alone(running: Installation, office: Office) -> None:
    may, may_not = (office.key(permissions=[name])["api_key"] for name in ("view_customer", "view_invoice"))

    assert running.get("/crm/customers", key=may).json()["total"] == 3
    refused = running.get("/crm/customers", key=may_not)
    assert refused.status_code == 403
    assert refused.json()["missing_permission"] == "view_customer"


def test_shell_captures_the_secret_alone(running: Installation) -> None:
    script = 'K=$("$0" manage.py create_key --name Captured 2>/dev/null) && printf "<%s>" "$K"'
    done = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable], cwd=ROOT, env=running.environment, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert running.get("/api/v1/whoami", key=done.stdout.strip("<>")).status_code == 200


def test_administrator_signs_in_and_out(running: Installation) -> None:
    with running.browser() as browser:
        assert browser.get("/").status_code == 302
        signed_in = submit(browser, "/sign-in/", {"login": "dana@example.org", "password": PASSWORD})
        assert signed_in.status_code == 302, signed_in.text
        assert browser.get("/").headers["location"] == "/o/acme/"
        assert browser.get("/o/acme/").status_code == 200
        assert browser.get("/api/v1/whoami").json()["user"]["name"] == "dana"

        submit(browser, "/sign-out/", {})

        assert browser.get("/").headers["location"].startswith("/sign-in/")
        assert browser.get("/api/v1/whoami").status_code == 401


def test_wrong_password_is_refused(running: Installation) -> None:
    with running.browser() as browser:
        refused = submit(browser, "/sign-in/", {"login": "dana@example.org", "password": PASSWORD.upper()})
        assert refused.status_code == 200
        assert browser.get("/").status_code == 302


def test_start_is_quiet_and_prints_no_link_when_an_administrator_exists(running: Installation) -> None:
    assert running.output == f"Keyadmin: {running.address}\n"
    assert running.said_at_start == ""


def test_doubled_key_header_is_refused(running: Installation, office: Office) -> None:
    secret = office.key()["api_key"]
    with running.browser() as browser:
        answer = browser.get("/api/v1/whoami", headers=[("X-API-KEY", secret), ("X-API-KEY", secret)])
    assert answer.status_code == 400
    assert answer.json()["code"] == "conflicting_credentials"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST:1"])
def test_known_hosts_are_answered(running: Installation, host: str) -> None:
    assert running.get("/sign-in/", Host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "a b"])
def test_other_hosts_are_refused(running: Installation, host: str) -> None:
    assert running.get("/sign-in/", Host=host).status_code == 400
    assert running.get("/api/v1/permissions", Host=host).status_code == 400


def test_health_answers_any_host(running: Installation) -> None:
    assert running.get("/healthz", Host="10.1.2.3:8080").json() == {"status": "ok"}


def test_foreign_origin_can_not_sign_in(running: Installation) -> None:
    with running.browser() as browser:
        browser.get("/sign-in/")
        token = browser.cookies["keyadmin-csrf"]
        sent = {"csrfmiddlewaretoken": token, "login": "dana@example.org", "password": PASSWORD}
        assert browser.post("/sign-in/", data=sent, headers={"Origin": "http://evil.example"}).status_code == 403
        assert browser.post("/sign-in/", data=sent, headers={"Origin": origin(browser)}).status_code == 302


def test_connection_survives_a_refusal_that_comes_before_the_body(running: Installation) -> None:
    head = b"POST /api/v1/api-keys HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        for _ in range(5):
            connection.sendall(head)
            time.sleep(0.05)  # most clients send a body on its own
            connection.sendall(b'{"a":1}')
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 401
            answer.read()
