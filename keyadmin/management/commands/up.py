import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connection

from keyadmin.management.base import FAILED, PlainCommand
from keyadmin.management.commands.seed_demo import bar, words
from keyadmin.system import demo, services, supervisor
from keyadmin.web.assets import collect


class Command(PlainCommand):
    help = "Start keyadmin: database, first start, web server and worker. Ctrl-C or SIGTERM stops all of it."
    example = "up --demo"
    requires_system_checks = "__all__"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="fill a new database with a made-up organisation")

    def work(self, **options: Any) -> None:
        host = self._free_address()
        made = None
        if options["demo"]:
            made = demo.seed(bar(sys.stderr))
        else:
            services.prepare()
        collect()
        link = services.setup_link()
        connection.close()

        def announce() -> None:
            self.stdout.write(f"Keyadmin: {services.address()}")
            if link:
                self.stdout.write(f"No administrator exists yet. Set up with this one-time link:\n  {link}")
            if made:
                self.stdout.write(words(made))
            self.stdout.flush()

        code = supervisor.run(
            [self._web(host), self._worker()],
            ready=lambda: supervisor.answers(_reachable(host), settings.ENV.port),
            announce=announce,
            say=self._say,
        )
        if code:
            self.fail("stopped.", code)

    def _free_address(self) -> str:
        """The IP address to listen on. Checked before anything else: a second start must not void the first's link."""
        try:
            return supervisor.free_address(settings.ENV.host, settings.ENV.port)
        except OSError as error:
            where = f"{settings.ENV.host} port {settings.ENV.port}"
            self.fail(f"can't listen on {where} (KEYADMIN_HOST, KEYADMIN_PORT): {error.strerror}.", FAILED)

    def _web(self, host: str) -> supervisor.Program:
        env = settings.ENV
        command = [
            *(sys.executable, "-m", "granian", "--interface", "asgi", "keyadmin.asgi:application"),
            *("--host", host, "--port", str(env.port), "--workers", str(env.workers)),
            *("--backpressure", "4096", "--no-ws"),
            *("--workers-kill-timeout", "3", "--no-access-log", "--log-level", "error"),
        ]
        return supervisor.Program("web server", command, settings.BASE_DIR)

    def _worker(self) -> supervisor.Program:
        manage = Path(settings.BASE_DIR) / "manage.py"
        return supervisor.Program("worker", [sys.executable, str(manage), "worker"], settings.BASE_DIR)

    def _say(self, text: str) -> None:
        self.stderr.write(f"keyadmin: {text}")


def _reachable(host: str) -> str:
    """Where this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
