"""The first start and every later one: bring the database up to date and say where to go."""

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from accounts import queries
from accounts.services.setup import load_first_packs, set_up
from keyadmin.env import Env
from keyadmin.instance import services as instance
from keyadmin.kernel.actor import operator

MIGRATION_LOCK = 0x6B657961646D696E  # the same number in every process that starts: "keyadmin"


def prepare() -> None:
    """Migrate, tie the database to its master key, load permissions, make the first administrator if asked to.

    Several hosts may start at once on PostgreSQL: one migrates, the others wait. Raises WrongMasterKeyError before
    anything is changed, and InvalidError for an administrator that can't be made.
    """
    env: Env = settings.ENV
    if "instance_instance" in connection.introspection.table_names():
        instance.check_master_key(env.master.fingerprint)
    with _alone():
        call_command("migrate", interactive=False, verbosity=0)
        instance.bind_master_key(env.master.fingerprint)
        load_first_packs()
        if env.admin_email and not queries.administrator_exists():
            set_up(
                actor=operator(label="first start"),
                organization=env.organization,
                name=env.admin_email.partition("@")[0],
                email=env.admin_email,
                password=env.admin_password,
            )


def setup_link() -> str | None:
    """A fresh one-time set-up link while no administrator exists, else None."""
    if queries.administrator_exists():
        return None
    return f"{address()}/setup/{instance.issue_setup_token()}/"


def address() -> str:
    """Where people reach this installation."""
    env: Env = settings.ENV
    if env.public_url:
        return env.public_url
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(env.host, env.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{env.port}"


class _alone:
    """On PostgreSQL an advisory lock, held while the database is prepared; SQLite locks by itself."""

    def __enter__(self) -> None:
        self._execute("SELECT pg_advisory_lock(%s)")

    def __exit__(self, *error: object) -> None:
        self._execute("SELECT pg_advisory_unlock(%s)")

    def _execute(self, statement: str) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(statement, [MIGRATION_LOCK])
