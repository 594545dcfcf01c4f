"""`/metrics`: what was answered, from where, and how many keys there are; to who may read it, or at its own address."""

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.running.installation import CLIENT, Installation, free_port, prepared

METRICS_PORT = free_port()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation whose metrics have an address of their own."""
    where = {"KEYADMIN_METRICS_ADDRESS": f"127.0.0.1:{METRICS_PORT}"}
    with prepared(tmp_path_factory.mktemp("measured"), **where) as made:
        made.start()
        yield made


def numbers(text: str) -> dict[tuple[str, ...], float]:
    """Each number by its name and the values of its labels, these in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def own_address() -> dict[tuple[str, ...], float]:
    answer = httpx.get(f"http://127.0.0.1:{METRICS_PORT}/metrics", **CLIENT)
    assert answer.status_code == 200
    return numbers(answer.text)


def test_answers_are_counted_by_code_and_place(measured: Installation) -> None:
    secret = measured.secret("create_key", "--name", "Counted", "--permission", "view_customer")
    before = own_address()
    for _ in range(3):
        assert measured.get("/verify?permission=view_customer", key=secret).status_code == 200
    assert measured.get("/verify", key="wrong").status_code == 401
    after = own_address()

    def more(*name: str) -> float:
        return after[name] - before.get(name, 0)

    name = "keyadmin_verifications_total"
    assert more(name, "allowed", "looked_up") == 1
    assert more(name, "allowed", "memory") == 2
    assert more(name, "invalid_key", "looked_up") == 1
    assert after["keyadmin_keys", "active"] >= 0
    assert after["keyadmin_spool_records_dropped_total",] == 0
    assert after["keyadmin_spool_waiting_bytes",] >= 0
    assert after["keyadmin_ready", "database"] == 1
    assert after["process_resident_memory_bytes",] > 0
    assert secret not in str(after)


def test_a_credential_needs_the_permission_of_the_instance(measured: Installation) -> None:
    of_the_organization = measured.secret("create_key", "--name", "Strong", "--admin")
    of_the_administrator = measured.secret("create_key", "--name", "Prometheus", "--user", "1")
    assert measured.get("/metrics").status_code == 401
    refused = measured.get("/metrics", key=of_the_organization)
    assert (refused.status_code, refused.json()["missing_permission"]) == (403, "setting.ctrl")
    answer = measured.get("/metrics", key=of_the_administrator)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert ("keyadmin_keys", "active") in numbers(answer.text)
