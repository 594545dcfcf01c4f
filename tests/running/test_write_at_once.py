"""Sixteen writers at once, threads in several processes and the web server: every acknowledged act has its event."""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.running.installation import ROOT, Installation

PROCESSES, THREADS, CLIENTS = 3, 4, 4


def start(running: Installation, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.running.writer", *map(str, arguments)],
        cwd=ROOT,
        env=running.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process: "subprocess.Popen[str]") -> Any:
    """What it printed; it must not have failed in any way."""
    out, err = process.communicate(timeout=3600)
    assert (process.returncode, err) == (0, ""), err
    return json.loads(out)


def requests(running: Installation, secret: str, acts: int) -> list[tuple[str, int]]:
    """The same by REST: make, edit, pause, resume, revoke and delete keys."""
    done = []
    with running.browser() as client:
        client.headers["X-API-KEY"] = secret

        def ask(method: str, path: str, body: object, event: str, key: int | None = None) -> int:
            answer = client.request(method, f"/api/v1/api-keys{path}", json=body)
            assert answer.status_code in (200, 201, 204), answer.text
            found: int = key or answer.json()["api_key_id"]
            done.append((f"api_key.{event}", found))
            return found

        for number in range(acts):
            key = ask("POST", "", {"name": f"REST {number}"}, "created")
            ask("PATCH", f"/{key}", {"name": f"REST {number} edited"}, "updated", key)
            ask("POST", f"/{key}/pause", None, "paused", key)
            ask("POST", f"/{key}/resume", None, "resumed", key)
            ask("POST", f"/{key}/revoke", None, "revoked", key)
            ask("DELETE", f"/{key}", None, "deleted", key)
    return done


def test_no_event_is_lost_and_no_chain_forks(running: Installation, soak: bool) -> None:
    acts, said = 400 if soak else 12, running.errors
    shared = result(start(running, "prepare"))
    already = Counter({tuple(event): count for event, count in result(start(running, "check"))["events"]})

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(requests, running, shared["secret"], acts // 3) for _ in range(CLIENTS)]
        processes = [start(running, "write", THREADS, acts) for _ in range(PROCESSES)]
        acknowledged = [tuple(act) for process in processes for act in result(process)]
        acknowledged += [act for client in clients for act in client.result()]

    checked = result(start(running, "check"))
    assert checked["problems"] == {}
    assert checked["chains"] == 3
    written = Counter({tuple(event): count for event, count in checked["events"]})
    assert checked["entries"] == written.total()
    fresh = written - already
    side_effects = {event: count for event, count in fresh.items() if event[0] == "membership.created"}
    assert fresh - Counter(side_effects) == Counter(acknowledged)
    assert len(acknowledged) > (PROCESSES * THREADS + CLIENTS) * acts // 2
    assert running.errors == said
