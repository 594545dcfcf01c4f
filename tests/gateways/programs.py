"""The real gateways, with the configurations that docs/gateways.md shows: only addresses are put in their place."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gateways.wire import Answer, Header, asked, head, sent
from tests.running.installation import ROOT, free_port

DOCS = ROOT / "docs" / "gateways.md"
KINDS = {"nginx": "nginx", "caddy": "caddyfile"}
START_SECONDS = 30.0
CLIENT = "127.0.0.3"  # not trusted: the client that the gateway speaks of
NGINX = """
daemon off;
pid {directory}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    {temporary}
    {recipe}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
CADDY = """
{{
	admin off
	auto_https off
}}
{recipe}
"""


@dataclass(frozen=True)
class Gateway:
    """One that runs, as its clients see it."""

    kind: str
    port: int

    def ask(self, target: str, *headers: Header, key: str = "", method: str = "GET") -> Answer:
        return asked(self.port, target, *headers, key=key, method=method, source=CLIENT, host=self.host)

    def post(self, target: str, body: bytes, *headers: Header) -> Answer:
        length = ("Content-Length", str(len(body)))
        return sent(self.port, head("POST", target, [*headers, length], host=self.host) + body, source=CLIENT)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


def recipe(kind: str, *, keyadmin: int, application: int, gateway: int) -> str:
    """The configuration that the docs show for a gateway, with these ports."""
    blocks = re.findall(rf"^```{KINDS[kind]}\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1, f"{DOCS} must hold one block of {KINDS[kind]}"
    text: str = blocks[0]
    for shown, port in ((8000, keyadmin), (9000, application), (8080, gateway)):
        assert f"127.0.0.1:{shown}" in text
        text = text.replace(f"127.0.0.1:{shown}", f"127.0.0.1:<{port}>")
    return re.sub(r"<(\d+)>", r"\1", text)


@contextlib.contextmanager
def running_gateway(kind: str, directory: Path, *, keyadmin: int, application: int) -> Iterator[Gateway]:
    """The gateway in front of these two, ended afterwards."""
    program = program_of(kind)
    gateway = Gateway(kind, free_port())
    text = recipe(kind, keyadmin=keyadmin, application=application, gateway=gateway.port)
    config = directory / "config"
    if kind == "nginx":
        temporary = " ".join(f"{name}_temp_path {directory}/{name};" for name in TEMPORARY)
        account = "user root;" if os.geteuid() == 0 else ""
        config.write_text(account + NGINX.format(directory=directory, temporary=temporary, recipe=text))
        command = [program, "-p", str(directory), "-c", str(config)]
    else:
        config.write_text(CADDY.format(recipe=text))
        command = [program, "run", "--adapter", "caddyfile", "--config", str(config)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log)
    try:
        wait_for(process, gateway.port, directory / "log")
        yield gateway
    finally:
        process.terminate()
        process.wait(30)


def program_of(kind: str) -> str:
    """Where the program is. Without it the tests are skipped, in CI they fail."""
    found = shutil.which(kind) or shutil.which(kind, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        said = f"{kind} is missing; scripts/setup dev brings it or says how to get it"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    return found


def wait_for(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
