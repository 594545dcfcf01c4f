"""No header of a client's own under our names gets past a gateway, however it is spelled or framed (R24)."""

import contextlib
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateways.conftest import Guarded
from tests.gateways.programs import CLIENT, Gateway
from tests.gateways.upstream import Reached
from tests.gateways.variants import CANARY, OURS, variants

FEWEST, AT_ONCE, PATIENCE = 200, 16, 0.5  # variants, connections, seconds


def fling(gateway: Gateway, raw: str) -> None:
    """Send a request as it stands, and read what the gateway says to it. The connection stays open for its answer."""
    with (
        contextlib.suppress(ConnectionError, TimeoutError),
        socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE, source_address=(CLIENT, 0)) as client,
    ):
        client.sendall(raw.replace("<host>", gateway.host).encode("latin-1"))
        while client.recv(65536):
            pass


def planted(reached: Reached, expected: dict[str, str]) -> list[str]:
    """What is wrong with a request as the application got it."""
    found = []
    if "hidden" in reached.line:
        found.append(reached.line)
    for name in OURS:
        values, wanted = reached.values(f"X-Auth-{name}"), expected.get(name)
        # nginx sends no header rather than an empty one.
        if len(values) > 1 or CANARY in "".join(values) or wanted not in (None, "".join(values)):
            found.append(f"{name}: {values}")
    return found


@pytest.mark.parametrize("key_is_right", [True, False], ids=["right key", "no key"])
def test_nothing_of_a_clients_own_reaches_the_application(
    gateway: Gateway, guarded: Guarded, key_is_right: bool
) -> None:
    every = variants()
    assert len({raw for _, raw in every}) >= FEWEST
    expected = {"Key-Id": str(guarded.key_id), "Owner": "", "Organization": guarded.oid, "Kind": "organization"}
    expected |= {"Environment": "live", "Permissions": "view_customer", "Segment": ""}
    assert len(expected) == len(OURS) - 1  # the request id is another one each time
    guarded.upstream.taken()
    key = guarded.key if key_is_right else "nonsense"
    marked = [raw.replace("<key>", key).replace("/orders", f"/orders-{n}") for n, (_, raw) in enumerate(every)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda raw: fling(gateway, raw), marked))
    passed, wrong = set(), {}
    for reached in guarded.upstream.taken():
        number = re.search(r"/orders-(\d+)", reached.line)
        name = every[int(number[1])][0] if number else reached.line
        passed.add(name)
        found = planted(reached, expected)
        if found or not key_is_right:
            wrong[name] = found
    assert wrong == {}
    assert len(passed) > len(every) // 4 if key_is_right else not passed
