"""What all commands share: the operator acts, errors are one line on standard error, --json, exit codes 0/1/2."""

import json
from argparse import RawDescriptionHelpFormatter
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.instance.services import WrongMasterKeyError, check_master_key
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor, operator
from keyadmin.kernel.errors import InvalidError, NotFoundError, ProblemError
from keyadmin.keys import queries as keys
from keyadmin.keys.models import APIKey

FAILED, MISUSED = 1, 2


class _Parser(CommandParser):
    """Wrong usage: one line on standard error, exit code 2. An example stands at the end of --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog.rsplit('/', 1)[-1]}: {message} (--help shows an example)\n")


class KeyadminCommand(BaseCommand):
    """Subclasses set `help` and `example`, add arguments, and implement `act`, which returns what --json prints."""

    example: ClassVar[str]
    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = _Parser(
            prog=f"manage.py {subcommand}",
            description=self.help,
            epilog=f"example:\n  .venv/bin/python manage.py {self.example}",
            formatter_class=RawDescriptionHelpFormatter,
            called_from_command_line=getattr(self, "_called_from_command_line", False),
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument("--reason", default="", help="why; kept in the activity log")
        for name in ("--settings", "--pythonpath"):
            parser.add_argument(name, help="as in all of Django's commands")
        parser.add_argument("--traceback", action="store_true", help="show where an error comes from")
        parser.add_argument("--no-color", action="store_true", help="as in all of Django's commands")
        parser.add_argument("--force-color", action="store_true", help="as in all of Django's commands")
        parser.set_defaults(verbosity=1, skip_checks=True)
        self.add_arguments(parser)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command as the operator of the machine."""
        try:
            check_master_key(settings.ENV.master.fingerprint)
            actor = operator(reason=options["reason"])
            result = self.act(actor, **options)
        except ProblemError as error:
            self.fail(_in_one_line(error), MISUSED if isinstance(error, InvalidError) else FAILED)
        except WrongMasterKeyError as error:
            self.fail(str(error), FAILED)
        except (DatabaseError, InterfaceError) as error:
            if options["traceback"]:
                raise
            text = str(error).splitlines()[0] if str(error) else type(error).__name__
            hint = " Start keyadmin once (`make run`) to create the tables." if _no_tables(text) else ""
            self.fail(f"The database does not answer as it should: {text}.{hint}", FAILED)
        else:
            if options["json"]:
                self.stdout.write(json.dumps(result, indent=2))
            else:
                self.show(result)

    def act(self, actor: Actor, **options: Any) -> Any:
        """Call one service; return plain JSON values."""
        raise NotImplementedError

    def show(self, result: Any) -> None:
        """Print the result for people."""
        for name, value in result.items():
            self.stdout.write(f"{name.replace('_', ' ') + ':':<18}{_text(value)}")

    def fail(self, message: str, code: int) -> NoReturn:
        """One line on standard error, then exit."""
        raise CommandError(message, returncode=code)

    def organization(self, actor: Actor, reference: str | None) -> Organization:
        """The organisation named by slug or oid; the only one there is, if none is named."""
        rows = accounts.visible_organizations(actor)
        if reference is None:
            found = list(rows[:2])
            if len(found) == 1:
                return found[0]
            slugs = ", ".join(rows.values_list("slug", flat=True)[:20])
            if not slugs:
                raise NotFoundError("There is no organisation yet: open the set-up link that keyadmin prints at start.")
            raise InvalidError(f"Say which organisation by --organization: {slugs}.")
        try:
            return accounts.organization(actor, reference.strip().lower())
        except NotFoundError:
            slugs = ", ".join(rows.values_list("slug", flat=True)[:20]) or "none"
            raise NotFoundError(f"There is no organisation {reference!r}; there are: {slugs}.") from None


class KeyCommand(KeyadminCommand):
    """A command about one key, named by id, token id or masked form."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", help="id, token id or masked form, such as ka_live_8f3kQ2mZp0Xa...9t0w")

    def act(self, actor: Actor, **options: Any) -> Any:
        return self.act_on(actor, keys.referenced_key(actor, options.pop("key")), **options)

    def act_on(self, actor: Actor, key: APIKey, **options: Any) -> Any:
        raise NotImplementedError


def expiry_argument(text: str) -> Any:
    """`2027-01-31`, an RFC 3339 moment, `90d` or `never`. Raises InvalidError."""
    try:
        return clock.parse_expiry(text, at=clock.now())
    except ValueError as error:
        raise InvalidError.field("expires", str(error)) from None


def _in_one_line(error: ProblemError) -> str:
    if not error.errors:
        return error.detail
    return " ".join(f"{field}: {' '.join(texts)}" for field, texts in error.errors.items())


def _no_tables(text: str) -> bool:
    return "no such table" in text or "does not exist" in text


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return str(value.get("name") or value.get("slug") or value)
    return str(value)
