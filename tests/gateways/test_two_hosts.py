"""Two hosts behind nginx, PostgreSQL and Redis, set up as docs/scaling.md says: they are one, and outlast cut links.

As root only: each host is a network of its own. A link is cut silently, as when a switch fails.
"""

import re
import time
from collections.abc import Callable, Iterator
from itertools import cycle

import httpx
import pytest

from tests.gateways.cluster import NAME, Cluster, Node, running_cluster
from tests.running.installation import CLIENT, PASSWORD
from tests.running.revoking import Office

PATIENCE = 60.0  # seconds; a busy machine is no fault of the code
LEFT_ALONE = 6.5  # seconds; longer than nginx leaves a host alone that has failed
NO_REDIS, AGAIN = "REDIS_URL does not answer", "REDIS_URL answers again"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, soak: bool) -> Iterator[Cluster]:
    if not soak:
        pytest.skip("two whole installations take long to start: make soak runs them")
    with running_cluster(tmp_path_factory.mktemp("two")) as made:
        yield made


@pytest.fixture
def pairs(cluster: Cluster) -> list[tuple[Node, Node]]:
    """Which host is cut off, and which one is left: each in turn."""
    one, other = cluster.nodes
    return [(one, other), (other, one)]


def new_key(office: Office, limit: str | None = None) -> tuple[str, int]:
    """A key and its id."""
    made = office.key(permissions=["view_customer"], rate_limit=limit)
    return made["api_key"], made["api_key_id"]


def revoke(office: Office, key_id: int) -> None:
    office.call("POST", f"/api-keys/{key_id}/revoke")


def test_a_key_works_on_both_until_one_has_revoked_it(cluster: Cluster) -> None:
    for revoking, other in (cluster.nodes, cluster.nodes[::-1]):
        secret, key_id = new_key(cluster.office)
        for asked in (cluster.verify, revoking.verify, other.verify):
            assert [asked.asks(secret, anew=True) for _ in range(10)] == [200] * 10
        revoke(revoking.office, key_id)
        assert [other.verify.asks(secret, anew=True) for _ in range(50)] == [401] * 50
        assert [cluster.verify.asks(secret, anew=True) for _ in range(50)] == [401] * 50


def test_revoked_through_nginx_it_is_refused_by_both(cluster: Cluster) -> None:
    secret, key_id = new_key(cluster.nodes[0].office)
    for node in cluster.nodes:
        assert [node.verify.asks(secret, anew=True) for _ in range(10)] == [200] * 10
    revoke(cluster.office, key_id)
    for node in cluster.nodes:
        assert [node.verify.asks(secret, anew=True) for _ in range(50)] == [401] * 50


def test_both_count_one_limit(cluster: Cluster) -> None:
    assert spread(cluster, "3/minute", 4) == [200, 200, 200, 429]
    statuses = spread(cluster, "30/day", 60)
    assert (statuses.count(200), statuses.count(429)) == (30, 30)


def spread(cluster: Cluster, limit: str, number: int) -> list[int]:
    """What so many requests with a new limited key are answered, by one host and the other in turn."""
    secret, _ = new_key(cluster.office, limit)
    return [node.verify.asks(secret, anew=True) for node, _ in zip(cycle(cluster.nodes), range(number), strict=False)]


def test_who_signs_in_through_nginx_is_signed_in_on_both(cluster: Cluster) -> None:
    named = {"Host": NAME, "Origin": f"https://{NAME}"}
    with httpx.Client(base_url=cluster.address, headers=named, **CLIENT) as browser:
        page = browser.get("/sign-in/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token is not None
        fields = {"csrfmiddlewaretoken": token[1], "login": "dana@example.org", "password": PASSWORD}
        assert browser.post("/sign-in/", data=fields, headers={"Referer": f"https://{NAME}/"}).status_code == 302
        assert [browser.get("/o/acme/keys/").status_code for _ in range(6)] == [200] * 6


def test_nginx_alone_says_where_a_client_is(cluster: Cluster) -> None:
    secret = str(cluster.office.key(permissions=["view_customer"], allowed_networks=["203.0.113.0/24"])["api_key"])
    claimed = {"Host": NAME, "X-API-KEY": secret, "X-Forwarded-For": "203.0.113.9", "X-Request-Id": "made-up"}
    answer = httpx.get(f"{cluster.address}/api/v1/whoami", headers=claimed, **CLIENT)
    assert answer.status_code == 403
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_cut_off_from_the_database_a_host_says_503_and_never_yes(
    cluster: Cluster, pairs: list[tuple[Node, Node]], report: Callable[[str], None]
) -> None:
    for cut, other in pairs:
        processes = cut.made.processes()
        (good, _), (doomed, doomed_id) = new_key(cluster.office), new_key(cluster.office)
        for secret in (good, doomed):
            assert [cut.verify.asks(secret, anew=True) for _ in range(10)] == [200] * 10
        with cut.machine.back.broken():
            revoke(other.office, doomed_id)
            seconds = [answered(cut, secret, 503) for secret in (doomed, good) * 5]
            report(f"503 of a host that is cut off from its database: {max(seconds):.2f} s at most of {len(seconds)}")
            ready = cut.made.get("/readyz")
            assert (ready.status_code, ready.json()["database"]) == (503, "failing")
            assert [cluster.verify.asks(good, anew=True) for _ in range(40)] == [200] * 40
            assert [cluster.verify.asks(doomed, anew=True) for _ in range(40)] == [401] * 40
            assert [cluster.office.client.get("/whoami").status_code for _ in range(8)] == [200] * 8
        comes_back(cut, good)
        assert [cut.verify.asks(doomed, anew=True) for _ in range(10)] == [401] * 10
        assert cut.made.processes() == processes
        comes_to_count_together(cut)
        assert spread(cluster, "3/minute", 4) == [200, 200, 200, 429]
        time.sleep(LEFT_ALONE)


def answered(node: Node, secret: str, status: int) -> float:
    """The seconds that such an answer took."""
    began = time.monotonic()
    assert node.verify.asks(secret, anew=True) == status
    return time.monotonic() - began


def comes_back(node: Node, secret: str) -> None:
    """Both processes of a host answer a good key again; until then each answer is 503."""
    deadline, row = time.monotonic() + PATIENCE, 0
    while row < 20:
        assert time.monotonic() < deadline
        status = node.verify.asks(secret, anew=True)
        assert status in (200, 503)
        row = row + 1 if status == 200 else 0


def comes_to_count_together(node: Node) -> None:
    deadline = time.monotonic() + PATIENCE
    while node.made.errors.count(AGAIN) < node.made.errors.count(NO_REDIS):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nginx_goes_on_without_a_host_that_it_can_not_reach(cluster: Cluster, pairs: list[tuple[Node, Node]]) -> None:
    for cut, other in pairs:
        good, key_id = new_key(cluster.office)
        assert [cluster.verify.asks(good, anew=True) for _ in range(10)] == [200] * 10
        with cut.machine.front.broken():
            assert [cluster.verify.asks(good, anew=True) for _ in range(40)] == [200] * 40
            assert cluster.office.client.get("/whoami").status_code == 200
            revoke(other.office, key_id)
            assert [cluster.verify.asks(good, anew=True) for _ in range(20)] == [401] * 20
        time.sleep(LEFT_ALONE)


def test_without_any_host_gateways_hear_503(cluster: Cluster) -> None:
    good, _ = new_key(cluster.office)
    one, other = (node.machine.front for node in cluster.nodes)
    with one.broken(), other.broken():
        assert [cluster.verify.asks(good) for _ in range(8)] == [503] * 8
        answer = httpx.get(f"{cluster.verify.address}/verify", headers={"X-API-KEY": good}, **CLIENT)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    time.sleep(LEFT_ALONE)
    assert cluster.verify.asks(good) == 200
