"""Start web processes and worker, watch them, replace them, stop them: the process that `manage.py up` becomes."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

GRACE_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.1
STEADY_SECONDS: Final = 5.0
BACKLOG: Final = 4096
PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class Program:
    """A child to run: a name for messages and the command line.

    With a socket that `listens` it serves requests: its last two arguments are the descriptors of the socket and of a
    pipe into which it writes once it does.
    """

    name: str
    command: Sequence[str]
    directory: Path
    listens: socket.socket | None = None


@dataclass(slots=True)
class Child:
    """A program that was started; `ready` is the end of the pipe that hears of its readiness."""

    program: Program
    process: "subprocess.Popen[bytes]"
    ready: int | None
    started: float = field(default_factory=time.monotonic)

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def is_ready(self) -> bool:
        """Whether it does what it is there for; one without a pipe does at once."""
        if self.ready is None:
            return True
        with suppress(BlockingIOError):
            if os.read(self.ready, 1):
                self.close()
                return True
        return False

    def close(self) -> None:
        if self.ready is not None:
            os.close(self.ready)
            self.ready = None


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections at the IP address for a host name. Raises OSError if nobody can there now.

    All web processes share it, so that no request is lost while one of them makes room for its successor.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    taken = socket.socket(family, kind, protocol)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(BACKLOG)
    except OSError:
        taken.close()
        raise
    return taken


class Supervisor:
    """Runs programs until SIGTERM or SIGINT.

    SIGHUP replaces all of them, those that serve without losing a request: the new ones take over once they are ready,
    and if they can't start, the old ones go on. Where it was started from a terminal, SIGHUP says that this is gone,
    and ends it. A program that ends by itself is started again, unless it did not last: then all ends.
    Each child leads a process group of its own, so that a Ctrl-C reaches this process alone and whatever they started
    ends with them.
    """

    def __init__(
        self, programs: Sequence[Program], *, announce: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        self._programs = programs
        self._announce, self._say = announce, say
        self._stop_wanted = self._reload_wanted = False
        self._children: list[Child] = []
        self._successors: list[Child] = []
        self._leaving: list[tuple[Child, float]] = []  # with the moment in which patience ends

    def run(self) -> int:
        """Returns 0 after a signal, else 1. `announce` is called once, as soon as everything serves."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._hear)
        announced = False
        try:
            for program in self._programs:
                if not self._stop_wanted:
                    self._children.append(_start(program))
            while not self._stop_wanted:
                if not announced and all(child.is_ready() for child in self._children):
                    announced = True
                    self._announce()
                if not self._go_on():
                    return 1
                time.sleep(LOOK_SECONDS)
            return 0
        finally:
            _stop([*self._children, *self._successors, *(child for child, _ in self._leaving)])

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP and not sys.stdin.isatty():
            self._reload_wanted = True
        else:
            self._stop_wanted = True

    def _go_on(self) -> bool:
        """One look at everything; False if all has to end."""
        for at, child in enumerate(self._children):
            if child.has_ended:
                ended = f"{child.program.name} ended with code {child.process.returncode}"
                child.close()
                _kill_group(child.process.pid)
                if time.monotonic() - child.started < STEADY_SECONDS:
                    self._say(f"{ended}; stopping the rest.")
                    return False
                self._say(f"{ended}; starting it again.")
                self._children[at] = _start(child.program)
        if self._reload_wanted and not self._successors:
            self._reload_wanted = False
            self._successors = [_start(program) for program in self._programs if program.listens]
        if self._successors:
            self._replace()
        self._see_off()
        return True

    def _replace(self) -> None:
        if any(child.has_ended for child in self._successors):
            self._say("the new web processes can't start; the present ones go on.")
            _stop(self._successors)
            self._successors = []
        elif all(child.is_ready() for child in self._successors):
            deadline = time.monotonic() + GRACE_SECONDS
            self._leaving += [(child, deadline) for child in self._children]
            for child in self._children:
                child.process.terminate()
            others = [_start(program) for program in self._programs if not program.listens]
            self._children, self._successors = [*self._successors, *others], []
            self._say("reloaded.")

    def _see_off(self) -> None:
        for child, deadline in list(self._leaving):
            if child.has_ended or time.monotonic() > deadline:
                _kill_group(child.process.pid)
                child.process.wait()
                child.close()
                self._leaving.remove((child, deadline))


def _start(program: Program) -> Child:
    parent = os.getpid()

    def die_with_parent() -> None:
        if sys.platform == "linux":  # even a kill -9 of the supervisor leaves no orphan
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    def popen(*more: int) -> "subprocess.Popen[bytes]":
        command = [*program.command, *map(str, more)]
        return subprocess.Popen(
            command, cwd=program.directory, start_new_session=True, preexec_fn=die_with_parent, pass_fds=more
        )

    if program.listens is None:
        return Child(program, popen(), None)
    ready, says_ready = os.pipe()
    os.set_blocking(ready, False)
    try:
        return Child(program, popen(program.listens.fileno(), says_ready), ready)
    finally:
        os.close(says_ready)


def _stop(children: Sequence[Child]) -> None:
    for child in children:
        if not child.has_ended:
            child.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, deadline - time.monotonic()))
        _kill_group(child.process.pid)
        child.process.wait()
        child.close()


def _kill_group(group: int) -> None:
    """End what a child left behind in its process group."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
