"""The first start and every later one: bring the database up to date and say where to go."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection, connections

from accounts import queries
from accounts.services.setup import load_first_packs, set_up
from keyadmin.env import Env
from keyadmin.instance import services as instance
from keyadmin.kernel.actor import operator
from keyadmin.kernel.errors import InvalidError

MIGRATION_LOCK = 0x6B657961646D696E  # the same number in every process that starts: "keyadmin"


def prepare() -> None:
    """Migrate, tie the database to its master key, load permissions, make the first administrator if asked to.

    Several may start at once: one migrates, the others wait. Raises WrongMasterKeyError before anything is changed,
    and InvalidError for an administrator that can't be made.
    """
    env: Env = settings.ENV
    with _alone():
        if not is_new():
            instance.check_master_key(env.master.fingerprint)
        call_command("migrate", interactive=False, verbosity=0)
        if "usage" in connections:
            call_command("migrate", "usage", database="usage", interactive=False, verbosity=0)
        instance.bind_master_key(env.master.fingerprint)
        load_first_packs()
        if env.admin_email and not queries.administrator_exists():
            _make_first_administrator(env)


def is_new() -> bool:
    """Whether the database holds nothing yet."""
    return "instance_instance" not in connection.introspection.table_names()


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


def _make_first_administrator(env: Env) -> None:
    try:
        set_up(
            actor=operator(label="first start"),
            organization=env.organization,
            name=env.admin_email.partition("@")[0],
            email=env.admin_email,
            password=env.admin_password,
        )
    except InvalidError as error:
        variable = {"email": "KEYADMIN_ADMIN_EMAIL", "password": "KEYADMIN_ADMIN_PASSWORD"}
        raise InvalidError(
            error.detail,
            errors={variable.get(field, "KEYADMIN_ORG"): texts for field, texts in error.errors.items()},
        ) from None


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time prepares the database: an advisory lock on PostgreSQL, else one on the data directory."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            try:
                yield
            finally:
                # Where the connection is lost the lock is gone with it.
                with suppress(DatabaseError, InterfaceError):
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
        return
    directory = os.open(settings.ENV.data_dir, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
