import re
import sys
from datetime import timedelta
from getpass import getpass
from typing import Any

from django.core.management.base import CommandParser

from keyadmin.kernel import given
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError
from keyadmin.kernel.text import one_line
from keyadmin.management.base import KeyadminCommand
from keyadmin.sitekey import queries, services
from keyadmin.sitekey.representation import issued_fields, state_fields

_SPAN = re.compile(r"(\d{1,7})([mhd]?)", re.ASCII)
_UNITS = {"": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Command(KeyadminCommand):
    help = (
        "Show the site key, the second key that can be demanded beside each API key; make it, enter one made elsewhere "
        "(read from standard input), demand it, or stop it. Without an option it changes nothing."
    )
    example = "site_key --make --overlap 24h"

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_mutually_exclusive_group()
        acts.add_argument(
            "--make", action="store_true", help="make one, in place of the one before, and print it: once"
        )
        acts.add_argument("--assign", action="store_true", help="enter one made elsewhere, read from standard input")
        acts.add_argument("--end-overlap", action="store_true", help="stop the one that was replaced now")
        acts.add_argument("--demand", action="store_true", help="demand it of every request by key")
        acts.add_argument("--stop-demanding", action="store_true", help="demand it no more")
        acts.add_argument("--revoke", action="store_true", help="stop it for good, without another")
        parser.add_argument(
            "--overlap", metavar="SPAN", default="24h", help="how long the one before counts: 15m, 24h, 7d, 0 (24h)"
        )

    def act(self, actor: Actor, **options: Any) -> Any:
        if options["make"] or options["assign"]:
            overlap = _span(options["overlap"])
            secret = _given_secret() if options["assign"] else None
            issued = services.replace_site_key(actor=actor, secret=secret, overlap=overlap)
            return issued_fields(issued, queries.state(actor))
        if options["end_overlap"]:
            services.end_overlap(actor=actor)
        elif options["demand"] or options["stop_demanding"]:
            services.set_demand(actor=actor, demanded=options["demand"])
        elif options["revoke"]:
            services.revoke_site_key(actor=actor)
        return state_fields(queries.state(actor))

    def show(self, result: Any) -> None:
        """The state on standard output; beside a new site key on standard error, so that it stands alone."""
        said = self.stderr if "site_key" in result else self.stdout
        for line in _lines(result):
            said.write(line)
        if "site_key" in result:
            self.stderr.write("The new site key, shown only now:")
            self.stdout.write(result["site_key"])
        if "warning" in result:
            self.stderr.write(result["warning"])


def _lines(result: Any) -> list[str]:
    current, retiring = result["current"], result["retiring"]
    source = {"environment": f" (by {queries.VARIABLE})", "setting": " (by the saved setting)", None: ""}
    found = [f"demanded:         {'yes' if result['demanded'] else 'no'}{source[result['demanded_by']]}"]
    if current is None:
        found.append("site key:         none")
        if result["demanded"]:
            found.append("Every request by key is refused: make one with --make, or enter one with --assign.")
        return found
    found.append(
        f"site key:         {current['masked_key']}, since {current['created']}, {one_line(current['created_by'])}"
    )
    if retiring is not None:
        found.append(f"former site key:  {retiring['masked_key']}, until {retiring['ends']}")
    return found


def _span(text: str) -> timedelta:
    """`15m`, `24h`, `7d` or seconds. Raises InvalidError."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise InvalidError.field("overlap", "A span of time is 15m, 24h, 7d, or 0 for none.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _given_secret() -> str:
    """The line on standard input; a person who types it sees nothing of it."""
    if sys.stdin.isatty():
        return getpass("Site key: ")
    text = sys.stdin.read(40 * given.LONGEST)  # enough to say how far too long it is
    return text.removesuffix("\n").removesuffix("\r")
