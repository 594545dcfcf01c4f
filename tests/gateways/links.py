"""Hosts as network namespaces of this machine: each with one link to the balancer and one to its database.

Nothing that is sent on them leaves the machine. A link is cut by dropping what is sent, on both of its ends: nobody is
told, as when a switch fails.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

LINKS = ("front", "back")
SBIN = "/usr/sbin:/sbin"


@dataclass(frozen=True)
class Link:
    """Both ends of one, in a network of its own. `near` is this machine's address, `far` the host's."""

    namespace: str
    device: str  # this machine's; the host's has the name of the link
    name: str
    near: str
    far: str

    def make(self) -> None:
        _run("ip", "link", "add", self.device, "type", "veth", "peer", "name", self.name, "netns", self.namespace)
        _run("ip", "address", "add", f"{self.near}/30", "dev", self.device)
        _run("ip", "-n", self.namespace, "address", "add", f"{self.far}/30", "dev", self.name)
        _run("ip", "link", "set", self.device, "up")
        _run("ip", "-n", self.namespace, "link", "set", self.name, "up")

    def cut(self) -> None:
        """Lose everything that is sent from now on, in both directions."""
        _run("tc", "qdisc", "add", "dev", self.device, "root", "blackhole")
        _run("tc", "-n", self.namespace, "qdisc", "add", "dev", self.name, "root", "blackhole")

    def mend(self) -> None:
        """Undo `cut`."""
        _run("tc", "-n", self.namespace, "qdisc", "del", "dev", self.name, "root")
        _run("tc", "qdisc", "del", "dev", self.device, "root")

    @contextlib.contextmanager
    def broken(self) -> Iterator[None]:
        """Cut for as long as this lasts."""
        self.cut()
        try:
            yield
        finally:
            self.mend()


@dataclass(frozen=True)
class Machine:
    """One host's network: it reaches `front.near` and `back.near`, and nothing else."""

    name: str
    front: Link
    back: Link

    @property
    def within(self) -> Sequence[str]:
        """What a command begins with that runs there."""
        return [_program("ip"), "netns", "exec", self.name]


@contextlib.contextmanager
def machines(number: int) -> Iterator[list[Machine]]:
    """So many hosts, taken away afterwards. Skips the test where networks can't be made, but not in CI."""
    if not os.environ.get("CI"):
        if os.geteuid() != 0:
            pytest.skip("networks of their own take root")
        if not (shutil.which("ip", path=SBIN) and shutil.which("tc", path=SBIN)):
            pytest.skip("ip and tc are missing (the package iproute2)")
    _sweep()
    start = _free_network()
    addresses = iter(range(0, 256, 4))
    made = []
    for place in range(number):
        name = f"keyadmin-{os.getpid()}-{place}"
        ends = {}
        for link in LINKS:
            low = next(addresses)
            near, far = f"{start}.{low + 1}", f"{start}.{low + 2}"
            ends[link] = Link(name, f"ka{os.getpid()}{link[0]}{place}", link, near, far)
        made.append(Machine(name, **ends))
    try:
        for machine in made:
            _run("ip", "netns", "add", machine.name)
            _run("ip", "-n", machine.name, "link", "set", "lo", "up")
            machine.front.make()
            machine.back.make()
        yield made
    finally:
        for machine in made:
            for end in (machine.front, machine.back):
                _run("ip", "link", "delete", end.device, check=False)
            _run("ip", "netns", "delete", machine.name, check=False)


def _sweep() -> None:
    """Take away what tests have left that were killed; the links go with their host."""
    for name in _run("ip", "netns", "list").split():
        found = re.fullmatch(r"keyadmin-([0-9]+)-[0-9]+", name)
        if found and not os.path.exists(f"/proc/{found[1]}"):
            _run("ip", "netns", "delete", name, check=False)


def _free_network() -> str:
    """The beginning of 256 private addresses that nobody uses here."""
    told = json.loads(_run("ip", "-json", "-4", "address"))
    taken = {address["local"].rpartition(".")[0] for device in told for address in device.get("addr_info", [])}
    return next(start for _ in range(256) if (start := f"10.213.{secrets.randbelow(256)}") not in taken)


def _program(name: str) -> str:
    return shutil.which(name, path=SBIN) or name


def _run(name: str, *arguments: str, check: bool = True) -> str:
    return subprocess.run([_program(name), *arguments], check=check, capture_output=True, text=True).stdout
