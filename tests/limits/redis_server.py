"""A throw-away Redis (or Valkey) server on a unix socket, which a test can stop, wake and kill."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import redis


class Server:
    """One server; after `kill`, `start` begins with nothing counted. It also listens on `addresses`, port 6379."""

    def __init__(self, directory: Path, addresses: Sequence[str] = ()) -> None:
        self.directory = directory
        self.addresses = addresses
        self.url = f"unix://{directory}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it answers."""
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "Redis is missing; scripts/setup dev brings it or says how to get it"
        socket = self.directory / "redis.sock"
        options = ["--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
        options += ["--bind", *self.addresses, "--protected-mode", "no"] if self.addresses else ["--port", "0"]
        self._process = subprocess.Popen(
            [program, *options], cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + 30
        while True:
            try:
                client.ping()
                return
            except redis.RedisError:
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.02)

    def hang(self) -> None:
        """Answer nothing, but keep all connections open."""
        self._send(signal.SIGSTOP)

    def wake(self) -> None:
        """Go on after `hang`."""
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """End at once, as the machine would that it runs on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def redis_server(addresses: Sequence[str] = ()) -> Iterator[Server]:
    """A running server, ended and removed afterwards."""
    # Not TMPDIR: a socket's path has at most about 100 bytes.
    with tempfile.TemporaryDirectory(prefix="keyadmin-redis-", dir="/tmp") as directory:
        server = Server(Path(directory), addresses)
        try:
            server.start()
            yield server
        finally:
            server.kill()
