import json
import sys
from collections.abc import Callable
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import DatabaseError

from keyadmin.env import CONFIG_NAME, MACHINE_CONFIG, ROUNDS_VARIABLE
from keyadmin.instance import queries
from keyadmin.kernel import hashing
from keyadmin.kernel.calibration import LONGEST_MS, SHORTEST_MS, Calibration, Timing, calibrate
from keyadmin.kernel.config_file import ROUNDS_NAME
from keyadmin.management.base import FAILED, PlainCommand


class Command(PlainCommand):
    """Measures, and changes nothing: it needs no database and leaves no entry in the activity log."""

    help = "Measure how many rounds of a hash take a given time on this machine, and print the configuration line."
    example = "calibrate_rounds pbkdf2_sha256 100"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("hash_name", help=f"{' or '.join(hashing.SCHEMES)}, which has no rounds to choose")
        parser.add_argument("target_ms", type=int, help=f"milliseconds of one check, {SHORTEST_MS} to {LONGEST_MS}")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def work(self, **options: Any) -> None:
        found = calibrate(options["hash_name"], options["target_ms"], progress=line(sys.stderr))
        if options["json"]:
            self.stdout.write(json.dumps(fields(found), indent=2))
        else:
            self.show(found)
        if found.shortfall:
            self.fail(found.shortfall, FAILED)

    def show(self, found: Calibration) -> None:
        """Print the result for people; what is wrong with it goes to standard error."""
        config = settings.ENV.data_dir / CONFIG_NAME
        rounds, source = in_force()
        for number, probe in enumerate(found.probes, start=1):
            self.stdout.write(f"probe {number}:     {_timing(probe)}")
        if found.measured:
            reached = "within 10 % of" if found.reached else "NOT within 10 % of"
            self.stdout.write(f"measured:    {_timing(found.measured)}, {reached} {found.target_ms} ms")
            self.stdout.write(f"rounds:      {found.rounds}")
            self.stdout.write(f"environment: {ROUNDS_VARIABLE}={found.rounds}")
            self.stdout.write(f"or a line:   {ROUNDS_NAME}: {found.rounds}")
            self.stdout.write(f"in the file: {config} or {MACHINE_CONFIG}")
            self.stdout.write(f"now:         {rounds} ({source})")
        for note in found.notes:
            self.stdout.write(note)
        for warning in found.warnings:
            self.stderr.write(f"Warning: {warning}")


def fields(found: Calibration) -> dict[str, Any]:
    """The result in JSON; times in milliseconds."""
    rounds, source = in_force()
    return {
        "hash_name": found.scheme,
        "target_ms": found.target_ms,
        "rounds": found.rounds,
        "probes": [_fields_of(probe) for probe in found.probes],
        "measured": found.measured and _fields_of(found.measured),
        "reached": found.reached,
        "environment": found.rounds and f"{ROUNDS_VARIABLE}={found.rounds}",
        "config_yml": found.rounds and f"{ROUNDS_NAME}: {found.rounds}",
        "rounds_now": rounds,
        "rounds_source": source,
        "warnings": found.warnings,
        "notes": found.notes,
    }


def in_force() -> tuple[int, str]:
    """The number of rounds now and its source: a variable, a path, `saved` or `default`.

    Without a database there is no saved one.
    """
    try:
        now = queries.rounds()
    except DatabaseError:
        now = queries.rounds_of(None)
    return now.number, settings.ENV.rounds_source if settings.ENV.rounds_are_given else now.source.value


def line(stream: TextIO) -> Callable[[int, int, int], None]:
    """Progress in one line of a terminal; silence for anything else."""

    def draw(rounds: int, done: int, total: int) -> None:
        if stream.isatty():
            stream.write(f"\rMeasuring {rounds} rounds: {done} of {total} \033[K")
            stream.write("\r\033[K" if done == total else "")
            stream.flush()

    return draw


def _fields_of(timing: Timing) -> dict[str, Any]:
    return {
        "rounds": timing.rounds,
        "milliseconds": round(timing.milliseconds, 3),
        "elapsed_milliseconds": round(timing.elapsed, 3),
    }


def _timing(timing: Timing) -> str:
    return f"{timing.rounds} rounds take {timing.milliseconds:.2f} ms"
