import json
import sys
from collections.abc import Callable
from typing import Any, TextIO

from django.core.management.base import CommandParser

from keyadmin.management.base import PlainCommand
from keyadmin.system import demo

BAR = 30


class Command(PlainCommand):
    help = "Fill a new database with a made-up organisation and ninety days of its changes, to look around in."
    example = "seed_demo"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def work(self, **options: Any) -> None:
        made = demo.seed(bar(sys.stderr))
        if options["json"]:
            self.stdout.write(json.dumps(made and made.as_json(), indent=2))
        else:
            self.stdout.write(words(made) if made else "The demo is there already; nothing was done.")


def words(made: demo.Demo) -> str:
    """How to sign in, to be printed once."""
    width = max(len(person.email) for person in made.people)
    rows = [f"  {person.email:<{width}}  {person.role}" for person in made.people]
    first = f"Demo organisation {made.organization}. The password of all its people, shown only now: {made.password}"
    return "\n".join([first, *rows])


def bar(stream: TextIO) -> Callable[[int, int], None]:
    """A progress bar for a terminal; silence for anything else."""

    def draw(done: int, total: int) -> None:
        if stream.isatty():
            filled = BAR * done // total
            stream.write(f"\rMaking the demo  [{'#' * filled}{' ' * (BAR - filled)}] {100 * done // total:3} %")
            stream.write("\r\033[K" if done == total else "")
            stream.flush()

    return draw
