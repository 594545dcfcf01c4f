import sys
from collections.abc import Callable
from typing import Any, TextIO

from keyadmin.kernel.actor import Actor
from keyadmin.management.base import KeyadminCommand
from keyadmin.system import demo

BAR = 30


class Command(KeyadminCommand):
    help = "Fill a new database with a made-up organisation and ninety days of its changes, to look around in."
    example = "seed_demo"

    def work(self, **options: Any) -> None:
        demo.prepare()
        super().work(**options)

    def act(self, actor: Actor, **options: Any) -> Any:
        made = demo.seed(actor=actor, progress=bar(sys.stderr))
        return made and made.as_json()

    def show(self, result: Any) -> None:
        self.stdout.write(words(result) if result else "The demo is there already; nothing was done.")


def words(made: dict[str, Any]) -> str:
    """How to sign in, to be printed once."""
    people = made["people"]
    width = max(len(person["email"]) for person in people)
    rows = [f"  {person['email']:<{width}}  {person['role']}" for person in people]
    said = f"Demo organisation {made['organization']}. The password of all its people, shown only now:"
    return "\n".join([f"{said} {made['password']}", *rows])


def bar(stream: TextIO) -> Callable[[int, int], None]:
    """A progress bar for a terminal; silence for anything else."""

    def draw(done: int, total: int) -> None:
        if stream.isatty():
            filled = BAR * done // total
            stream.write(f"\rMaking the demo  [{'#' * filled}{' ' * (BAR - filled)}] {100 * done // total:3} %")
            stream.write("\r\033[K" if done == total else "")
            stream.flush()

    return draw
