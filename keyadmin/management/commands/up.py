import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connection

from keyadmin.checks import missing_site_key
from keyadmin.kernel.actor import operator
from keyadmin.management.base import FAILED, PlainCommand
from keyadmin.management.commands.seed_demo import bar, words
from keyadmin.system import demo, services, supervisor
from keyadmin.web.assets import collect


class Command(PlainCommand):
    help = "Start keyadmin: database, first start, web and worker. Ctrl-C or SIGTERM stops it all, SIGHUP reloads."
    example = "up --demo"
    requires_system_checks = "__all__"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="fill a new database with a made-up organisation")

    def work(self, **options: Any) -> None:
        self._listening().close()  # before anything else: a second start must not void the first's link
        made = self._prepare(demo_too=options["demo"])
        for warning in missing_site_key():
            self._say(f"{warning.msg} {warning.hint} ({warning.id})")
        collect()
        link = services.setup_link()
        connection.close()

        def announce() -> None:
            self.stdout.write(f"Keyadmin: {services.address()}")
            if link:
                self.stdout.write(f"No administrator exists yet. Set up with this one-time link:\n  {link}")
            if made:
                self.stdout.write(words(made.as_json()))
            self.stdout.flush()

        with self._listening() as listens:
            web = [self._web(number, listens) for number in range(settings.ENV.workers)]
            code = supervisor.Supervisor([*web, self._worker()], announce=announce, say=self._say).run()
        if code:
            self.fail("stopped.", code)

    def _prepare(self, *, demo_too: bool) -> demo.Demo | None:
        if not demo_too:
            services.prepare()
            return None
        demo.prepare()
        return demo.seed(actor=operator(), progress=bar(sys.stderr))

    def _listening(self) -> socket.socket:
        try:
            return supervisor.listening(settings.ENV.host, settings.ENV.port)
        except OSError as error:
            where = f"{settings.ENV.host} port {settings.ENV.port}"
            self.fail(f"can't listen on {where} (KEYADMIN_HOST, KEYADMIN_PORT): {error.strerror}.", FAILED)

    def _web(self, number: int, listens: socket.socket) -> supervisor.Program:
        command = [sys.executable, "-m", "keyadmin.server", str(number)]
        return supervisor.Program(f"web process {number + 1}", command, settings.BASE_DIR, listens)

    def _worker(self) -> supervisor.Program:
        manage = Path(settings.BASE_DIR) / "manage.py"
        return supervisor.Program("worker", [sys.executable, str(manage), "worker"], settings.BASE_DIR)

    def _say(self, text: str) -> None:
        self.stderr.write(f"keyadmin: {text}")
