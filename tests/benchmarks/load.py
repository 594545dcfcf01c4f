"""A server on one core, the load generator on another; what came out in figures."""

import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from keyadmin.system.supervisor import listening

ROOT = Path(__file__).resolve().parents[2]
ROUNDS, SECONDS, CONNECTIONS = 5, 3, 16
FASTER = 1000  # milliseconds in a second
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


class Rate(NamedTuple):
    """Requests per second, the 99th percentile of their latency in milliseconds, and answers that were no 2xx."""

    rate: float
    p99: float
    failed: int


@dataclass
class Server:
    """A server under load; `headers` and `script` are what the load sends it."""

    name: str
    address: str
    headers: Mapping[str, str]
    script: str = ""
    pids: Callable[[], list[int]] = list


def cores() -> tuple[set[int], set[int]]:
    """One core for the server and another for the load; the same where there is only one."""
    own = sorted(os.sched_getaffinity(0))
    return {own[0]}, {own[-1]}


@contextlib.contextmanager
def started(
    command: Sequence[str],
    port: int,
    environment: Mapping[str, str],
    *,
    everywhere: bool = False,
    descriptors: Sequence[int] = (),
) -> Iterator[int]:
    """A process that listens on a port; gives its id. Pinned to the server's core unless it may run `everywhere`."""

    def pin() -> None:
        if not everywhere:
            os.sched_setaffinity(0, cores()[0])

    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**_plain(), **environment},
            stdout=log,
            stderr=log,
            preexec_fn=pin,
            start_new_session=True,
            pass_fds=descriptors,
        )
        try:
            _wait_for(port, process, log)
            yield process.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def web_processes(number: int, port: int, environment: Mapping[str, str]) -> Iterator[list[int]]:
    """So many web processes, as `manage.py up` starts them; gives their ids."""
    with contextlib.ExitStack() as stack:
        listens = stack.enter_context(listening("127.0.0.1", port))
        pids = []
        for one in range(number):
            ready, says_ready = os.pipe()
            passed = (listens.fileno(), says_ready)
            command = [sys.executable, "-m", "keyadmin.server", *map(str, (one, *passed))]
            running = started(command, port, environment, everywhere=number > 1, descriptors=passed)
            pids.append(stack.enter_context(running))
            os.close(says_ready)
            with open(ready, "rb") as pipe:
                assert pipe.read(1), "it did not start"
        yield pids


def granian(application: str, port: int, *, python: str = sys.executable) -> list[str]:
    """One process of granian with a WSGI callable."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backpressure", "4096", "--no-ws"]
    quiet = ["--no-access-log", "--log-level", "error"]
    return [python, "-m", "granian", "--interface", "wsgi", application, *options, *quiet]


def uvicorn(application: str, port: int) -> list[str]:
    """One process of uvicorn with an ASGI callable."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--http", "httptools", "--loop", "uvloop", "--ws", "none"]
    return [sys.executable, "-m", "uvicorn", application, *options, "--no-access-log", "--log-level", "error"]


def measured(server: Server, *, connections: int = CONNECTIONS, seconds: int = SECONDS) -> Rate:
    """One round of load."""
    script = ["-s", server.script] if server.script else []
    headers = [part for name, value in server.headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", *script, *headers, server.address]
    done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=_on_the_other_core)
    out = done.stdout
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", out), re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    assert rate and p99, out
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return Rate(float(rate[1]), float(p99[1]) * _UNITS[p99[2]], int(failed[1]) if failed else 0)


def in_turns(*servers: Server, rounds: int = ROUNDS, connections: int = CONNECTIONS) -> list[Rate]:
    """Medians of several rounds in which each has its turn, after one that does not count."""
    for server in servers:
        measured(server, connections=connections, seconds=1)
    found: list[list[Rate]] = [[] for _ in servers]
    for _ in range(rounds):
        for rates, server in zip(found, servers, strict=True):
            rates.append(measured(server, connections=connections))
    return [
        Rate(
            statistics.median(one.rate for one in rates),
            statistics.median(one.p99 for one in rates),
            sum(one.failed for one in rates),
        )
        for rates in found
    ]


def resident(pid: int) -> int:
    """Resident memory of a process and its children, in KiB."""
    every = {int(entry.name): entry for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    parents = {}
    for number, entry in every.items():
        with contextlib.suppress(OSError):
            parents[number] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    wanted, total = {pid}, 0
    for _ in range(5):
        wanted |= {number for number, parent in parents.items() if parent in wanted}
    for number in wanted:
        with contextlib.suppress(OSError):
            found = re.search(r"VmRSS:\s+(\d+)", (every[number] / "status").read_text())
            total += int(found[1]) if found else 0
    return total


def _plain() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _on_the_other_core() -> None:
    os.sched_setaffinity(0, cores()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.1)
    log.seek(0)
    raise RuntimeError(log.read().decode(errors="replace"))
