import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from keyadmin.instance.services import WrongMasterKeyError
from keyadmin.kernel.errors import ProblemError
from keyadmin.system import services, supervisor
from keyadmin.web.assets import collect

# Threads are made when needed and let go when idle; a small fixed number would let slow requests starve the rest.
THREADS = 128


class Command(BaseCommand):
    help = "Start keyadmin: database, first start, web server and worker. Ctrl-C or SIGTERM stops all of it."
    requires_system_checks = "__all__"
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            services.prepare()
            collect()
            link = services.setup_link()
        except (ProblemError, WrongMasterKeyError) as error:
            raise CommandError(str(error), returncode=1) from None
        except (DatabaseError, InterfaceError) as error:
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            raise CommandError(f"The database can't be used: {first_line}", returncode=1) from None
        self.stdout.write(f"Keyadmin: {services.address()}")
        if link:
            self.stdout.write(f"No administrator exists yet. Set up with this one-time link:\n  {link}")
        self.stdout.flush()
        code = supervisor.run([self._web(), self._worker()], say=self._say)
        if code:
            raise CommandError("stopped.", returncode=code)

    def _web(self) -> supervisor.Program:
        env = settings.ENV
        command = [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "keyadmin.wsgi:application"),
            *("--host", env.host, "--port", str(env.port), "--workers", str(env.workers)),
            *("--blocking-threads", str(THREADS), "--backpressure", "1024", "--no-ws"),
            *("--workers-kill-timeout", "5", "--no-access-log", "--log-level", "error"),
        ]
        return supervisor.Program("web server", command, settings.BASE_DIR)

    def _worker(self) -> supervisor.Program:
        manage = Path(settings.BASE_DIR) / "manage.py"
        return supervisor.Program("worker", [sys.executable, str(manage), "worker"], settings.BASE_DIR)

    def _say(self, text: str) -> None:
        self.stderr.write(text)
