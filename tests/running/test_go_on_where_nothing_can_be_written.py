"""The database is read-only, or its disk is full (R4).

Verification goes on, changes are refused cleanly and leave nothing behind, and it recovers without a restart.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest

from tests.pages.managing import fields
from tests.running.disks import Disk, small_disk
from tests.running.installation import ADMINISTRATOR, CLIENT, PASSWORD, Installation, submit
from tests.running.revoking import PATH
from tests.running.tables import damage, rows
from tests.running.test_write_at_once import result, start
from tests.servers import DatabaseKind, postgres

PATIENCE = 60.0  # seconds; a busy machine is no fault of the code
RECORDS = 40  # more than there is room for in the last page of a spool
TURNS = 30
UNTIL_FULL = 3000  # changes at most that still find room in what is on the disk already
Event = tuple[str, int | None]


@dataclass
class Place:
    """An installation that runs on a small disk, and how to break that and mend it."""

    made: Installation
    disk: Disk
    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]]
    office: httpx.Client
    acknowledged: list[Event] = field(default_factory=list)

    def change(self, method: str, path: str, event: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request by REST; what was acknowledged is noted, anything else must be a clean refusal."""
        answer = self.office.request(method, f"/api/v1{path}", json=body, headers=headers)
        if answer.status_code < 300:
            told = answer.json() if answer.content else {}
            self.acknowledged.append((event, told.get("api_key_id") or told.get("id") or int(path.split("/")[2])))
        else:
            is_clean(answer)
        return answer

    def key(self, name: str, **headers: str) -> httpx.Response:
        return self.change("POST", "/api-keys", "api_key.created", {"name": name, "permissions": ["*"]}, **headers)


def is_clean(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] == "unavailable"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, database_kind: DatabaseKind) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("place") / "it"
    directory.mkdir()
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(megabytes=100))
        (disk.directory / "data").mkdir(mode=0o700)
        (directory / "data").symlink_to(disk.directory / "data")
        if database_kind == "sqlite":
            url = None
            ways = {"read-only": (disk.freeze, disk.thaw)}
        else:
            (disk.directory / "server").mkdir(mode=0o700)
            url = stack.enter_context(postgres(disk.directory / "server")).url
            ways = {"read-only": (lambda: read_only(url, "on"), lambda: read_only(url, "off"))}
        made = Installation(directory, url, ADMINISTRATOR)
        stack.callback(made.close)
        made.start()
        secret = made.secret("create_key", "--name", "Office", "--admin", "--user", "1")
        headers = {"X-API-KEY": secret, "X-Organization": "acme"}
        office = stack.enter_context(httpx.Client(base_url=made.address, headers=headers, **CLIENT))
        yield Place(made, disk, {**ways, "full": (disk.fill, disk.clear)}, office)


def read_only(url: str | None, value: str) -> None:
    with psycopg.connect(str(url), autocommit=True, options="-c default_transaction_read_only=off") as server:
        server.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        server.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("way", ["read-only", "full"])
def test_verification_goes_on_and_changes_are_refused(place: Place, way: str) -> None:
    made = place.made
    break_it, mend_it = place.ways[way]
    remembered, fresh, dead, victim = (place.key(name).json() for name in ("remembered", "fresh", "dead", "victim"))
    place.change("POST", f"/api-keys/{dead['api_key_id']}/revoke", "api_key.revoked")
    assert made.get(PATH, key=remembered["api_key"]).status_code == 200
    wrong = fresh["api_key"][:20] + fresh["api_key"][21:] + "A"
    place.acknowledged.clear()
    said = len(made.errors)
    with made.browser() as browser:
        assert submit(browser, "/sign-in/", {"login": "dana@example.org", "password": PASSWORD}).status_code == 302
        assert browser.get("/o/acme/keys/").status_code == 200
        before, recorded = events(made), set[str]()
        break_it()
        try:
            use_up(place, way)
            assert made.get(PATH, key=remembered["api_key"]).status_code == 200
            assert made.get(PATH, key=fresh["api_key"]).status_code == 200, "it was not remembered yet"
            assert [made.get(PATH, key=key).status_code for key in (dead["api_key"], wrong, "")] == [401] * 3
            assert place.office.get("/api/v1/whoami").status_code == 200
            assert made.get("/healthz").status_code == 200
            refused(place, victim["api_key_id"])
            pages(place, browser)
            if way == "full":
                spool_is_full(place, remembered["api_key"])
            assert made.get(PATH, key=victim["api_key"]).status_code == 200, "what was refused has not happened"
        finally:
            mend_it()
        assert place.key("afterwards").status_code == 201
        assert browser.get("/o/acme/keys/").status_code == 200
    wait_for(lambda: made.get("/readyz").status_code == 200)
    wait_for(lambda: is_kept(made, remembered["api_key"], recorded))
    assert place.change("POST", f"/api-keys/{victim['api_key_id']}/revoke", "api_key.revoked").status_code == 200
    assert made.get(PATH, key=victim["api_key"]).status_code == 401
    holds_together(place, before)
    lines = made.errors[said:]
    assert "Traceback" not in lines, lines
    assert not re.search(r"ka_live_\w{20}", lines)


def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_kept(made: Installation, key: str, asked: set[str]) -> bool:
    """Whether one of the requests since it was mended has its record; asks once more."""
    asked.add(made.get(PATH, key=key).headers["X-Request-Id"])
    return any(one in asked for (one,) in rows(made, "SELECT request_id FROM usage_accessrecord", database="usage"))


def use_up(place: Place, way: str) -> None:
    """Change things until that is refused: a full disk has some room in the files that are there already.

    Again with a little more, so that it ends at each step of a change.
    """
    for turn in range(TURNS if way == "full" else 1):
        for number in range(UNTIL_FULL):
            if place.key(f"room {turn} {number}").status_code == 503:
                break
        else:
            pytest.fail("Nothing was refused.")
        if way == "full":
            place.disk.leave((1 + turn % 5) * 4096)
    if way == "full":
        place.disk.fill()


def refused(place: Place, victim: int) -> None:
    """Every kind of change, of which each is refused or done."""
    path = f"/api-keys/{victim}"
    answers = [place.key("Again", **{"Idempotency-Key": f"again-{number}"}) for number in range(3)]
    answers += [place.change("POST", "/groups", "group.created", {"name": "Big " + "x" * 60}) for _ in range(1)]
    text = "y" * 1900
    answers += [place.change("PATCH", path, "api_key.updated", {"description": text + str(n)}) for n in range(3)]
    assert any(answer.status_code == 503 for answer in answers)


def pages(place: Place, browser: httpx.Client) -> None:
    """A person sees the page, or a message that says what is the matter."""
    assert browser.get("/o/acme/keys/").status_code == 200
    form = browser.get("/o/acme/keys/new/")
    assert form.status_code == 200
    hidden = dict(re.findall(r'name="(csrfmiddlewaretoken|nonce)" value="([^"]+)"', form.text))
    filled = fields(**hidden, description="z" * 1900)
    sent = browser.post("/o/acme/keys/new/", data=filled, headers={"Origin": place.made.address})
    assert sent.status_code == 503, sent.text
    assert "text/html" in sent.headers["Content-Type"]
    assert "Unavailable" in sent.text
    assert sent.headers["Retry-After"]
    with place.made.browser() as stranger:
        said = submit(stranger, "/sign-in/", {"login": "dana@example.org", "password": PASSWORD})
        assert said.status_code in (302, 503), said.text


def spool_is_full(place: Place, key: str) -> None:
    """What can't be kept of a request is counted and said; the request is answered as ever."""
    made = place.made
    assert [made.get(PATH, key=key).status_code for _ in range(RECORDS)] == [200] * RECORDS
    assert re.search(r"[1-9]\d* access records could not be kept: (No space left on device|cut short)", made.errors)
    wait_for(lambda: says_spool_is_full(place))


def says_spool_is_full(place: Place) -> bool:
    """Fills what may have become free meanwhile: a file of another process that was removed."""
    place.disk.fill()
    ready = place.made.get("/readyz")
    return (ready.status_code, ready.json()["spool"]) == (503, "failing")


def events(made: Installation) -> Counter[Event]:
    """How often each was written; signing in is none of what is counted here."""
    sql = "SELECT name, target_id FROM activity_event WHERE name NOT LIKE 'person.%'"
    return Counter(map(tuple, rows(made, sql)))


def holds_together(place: Place, before: Counter[Event]) -> None:
    """What was acknowledged is there with its event, and nothing else; no table holds half of anything."""
    made = place.made
    assert events(made) - before == Counter(place.acknowledged)
    created = {key for (name, key) in events(made) if name == "api_key.created"}
    assert {key for (key,) in rows(made, "SELECT id FROM keys_apikey")} == created
    assert rows(made, "SELECT id FROM instance_idempotencyrecord WHERE status IS NULL") == []
    assert result(start(made, "check"))["problems"] == {}
    assert damage(made) == []
