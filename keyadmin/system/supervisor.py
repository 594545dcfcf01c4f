"""Start web server and worker, watch them, stop both: the process that `manage.py up` becomes."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

GRACE_SECONDS = 10.0
LOOK_SECONDS = 0.2
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """A child to run: a name for messages and the command line."""

    name: str
    command: Sequence[str]
    directory: Path


def free_address(host: str, port: int) -> str:
    """The IP address for a host name, or OSError if nobody can listen there now.

    granian shares its port with any other process of this account (SO_REUSEPORT): a second installation on it
    would get every other request, and nobody would be told.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)
    return str(address[0])


def run(programs: Sequence[Program], *, say: Callable[[str], None]) -> int:
    """Run the programs until SIGTERM or SIGINT, or until one of them ends; then stop all of them.

    Returns 0 after a signal, else 1. Each child leads a process group of its own, so that a Ctrl-C reaches this
    process alone and whatever the children started ends with them.
    """
    stop_wanted = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stop_wanted
        stop_wanted = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for program in programs:
            if stop_wanted:
                break
            children[program.name] = _start(program)
        while not stop_wanted:
            for name, child in children.items():
                if child.poll() is not None:
                    say(f"{name} ended with code {child.returncode}; stopping the rest.")
                    return 1
            time.sleep(LOOK_SECONDS)
        return 0
    finally:
        _stop(list(children.values()))


def _start(program: Program) -> "subprocess.Popen[bytes]":
    parent = os.getpid()

    def die_with_parent() -> None:
        if sys.platform == "linux":  # even a kill -9 of the supervisor leaves no orphan
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return subprocess.Popen(program.command, cwd=program.directory, start_new_session=True, preexec_fn=die_with_parent)


def _stop(children: Sequence["subprocess.Popen[bytes]"]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
        _kill_group(child.pid)
        child.wait()


def _kill_group(group: int) -> None:
    """End what a child left behind in its process group."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
