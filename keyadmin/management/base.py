"""What all commands share: the operator acts, errors are one line on standard error, --json, exit codes 0/1/2."""

import json
import sys
import time
from argparse import SUPPRESS, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.freshness import services as freshness
from keyadmin.instance.services import WrongMasterKeyError, check_master_key
from keyadmin.kernel import clock, tokens
from keyadmin.kernel.actor import Actor, operator
from keyadmin.kernel.errors import InvalidError, NotFoundError, ProblemError
from keyadmin.kernel.text import clean_line, one_line
from keyadmin.keys import queries as keys
from keyadmin.keys.models import APIKey

FAILED, MISUSED = 1, 2
REASON_LENGTH = 200


class _Parser(CommandParser):
    """Wrong usage: one line on standard error, exit code 2. An example stands at the end of --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {_safe(message)} (--help shows an example)\n")


class PlainCommand(BaseCommand):
    """Errors are one line on standard error and an exit code, never a traceback unless it is asked for.

    Subclasses set `help` and `example`, add arguments, and implement `work`.
    """

    example: ClassVar[str]
    requires_system_checks: list[str] | tuple[str, ...] | Literal["__all__"] = []
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = _Parser(
            prog=f"manage.py {subcommand}",
            description=self.help,
            epilog=f"example:\n  .venv/bin/python manage.py {self.example}",
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
            called_from_command_line=getattr(self, "_called_from_command_line", False),
        )
        for name in ("--settings", "--pythonpath"):
            parser.add_argument(name, help="as in all of Django's commands")
        parser.add_argument("--traceback", action="store_true", help="show where an error comes from")
        parser.add_argument("--no-color", action="store_true", help="as in all of Django's commands")
        parser.add_argument("--force-color", action="store_true", help="as in all of Django's commands")
        parser.set_defaults(verbosity=1, skip_checks=not self.requires_system_checks)
        self.add_arguments(parser)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the work; turn what goes wrong into one line."""
        try:
            _require_text(options)
            self.work(**options)
        except (OSError, CommandError):  # of the output: `manage.py` ends quietly when its reader has gone
            raise
        except Exception as error:
            if options["traceback"]:
                raise
            self.fail(*_explained(error))
        finally:
            time.sleep(freshness.unsettled())  # the end of a command says what an answer says

    def work(self, **options: Any) -> None:
        raise NotImplementedError

    def fail(self, message: str, code: int) -> NoReturn:
        """One line on standard error, then exit."""
        self.stderr.write(f"keyadmin: {_safe(message)}")
        sys.exit(code)


class KeyadminCommand(PlainCommand):
    """The operator acts. Subclasses implement `act`, which returns what --json prints; `show` is for people."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument("--reason", default="", help="why; kept in the activity log")
        return parser

    def work(self, **options: Any) -> None:
        reason = clean_line("reason", options["reason"], longest=REASON_LENGTH, required=False)
        check_master_key(settings.ENV.master.fingerprint)
        result = self.act(operator(reason=reason), **options)
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


class CommandOfActs(KeyadminCommand):
    """A command with several acts: `groups list`, `groups create NAME`. Subclasses add them in `add_acts`.

    An act gets the actor and the options; of a list that it returns people see the `columns`.
    """

    columns: ClassVar[tuple[str, ...]]

    def add_arguments(self, parser: CommandParser) -> None:
        self._acts = parser.add_subparsers(metavar="ACT", required=True)
        self.add_acts()

    def add_acts(self) -> None:
        raise NotImplementedError

    def add_act(self, name: str, do: Callable[..., Any], help: str, example: str) -> CommandParser:
        """One act with what all have; returns its parser for the arguments of its own."""
        parser: CommandParser = self._acts.add_parser(
            name,
            help=help,
            description=help,
            epilog=f"example:\n  .venv/bin/python manage.py {example}",
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parser.set_defaults(do=do)
        # SUPPRESS: else what was said before the act would be forgotten.
        parser.add_argument("--json", action="store_true", default=SUPPRESS, help="print the result as JSON")
        parser.add_argument("--reason", default=SUPPRESS, help="why; kept in the activity log")
        return parser

    def act(self, actor: Actor, **options: Any) -> Any:
        return options.pop("do")(actor, **options)

    def show(self, result: Any) -> None:
        if not isinstance(result, list):
            return super().show(result)
        rows = [[_text(row[name]) for name in self.columns] for row in result]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        for cells in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            self.stdout.write(line.rstrip())
        if not rows:
            self.stderr.write("There is none.")
        return None


def add_organization(parser: CommandParser) -> None:
    """The option that says in which organisation."""
    parser.add_argument("--organization", metavar="SLUG", help="slug or oid; not needed while there is only one")


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


def _explained(error: Exception) -> tuple[str, int]:
    """What to say of an error, and the exit code."""
    if isinstance(error, ProblemError):
        fields = (f"{field}: {' '.join(texts)}" for field, texts in error.errors.items())
        return " ".join(fields) or error.detail, MISUSED if isinstance(error, InvalidError) else FAILED
    if isinstance(error, WrongMasterKeyError):
        return str(error), FAILED
    if isinstance(error, DatabaseError | InterfaceError):
        text = one_line(str(error)) or type(error).__name__
        missing = "no such table" in text or ("relation" in text and "does not exist" in text)
        hint = " Start keyadmin once (`make run`) to create the tables." if missing else ""
        return f"The database can't be used: {text.rstrip('.')}.{hint}", FAILED
    return f"An error that nobody foresaw: {type(error).__name__}: {error} (--traceback shows where)", FAILED


def _require_text(options: Mapping[str, Any]) -> None:
    """Bytes that are no UTF-8 come as lone surrogates, which no database takes."""
    for name, value in options.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not text.isascii() and text != text.encode(errors="replace").decode():
                raise InvalidError.field(name, "This is not text in UTF-8.")


def _safe(message: str) -> str:
    """What was typed may come back in a message: never a whole key, and nothing that moves the cursor."""
    return tokens.redact(one_line(message))


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "-"
    if isinstance(value, dict):
        return one_line(str(value.get("name") or value.get("slug") or value))
    return one_line(str(value)) or "-"
