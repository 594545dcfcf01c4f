#!/usr/bin/env python
"""Keyadmin's command line."""

import os
import sys

INTERRUPTED = 130  # as shells say it: 128 + SIGINT


def main() -> int:
    """Run one command; a wrong environment is one line on standard error and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a name needs no UTF-8 terminal
    try:
        from django.core.management import execute_from_command_line

        from keyadmin.env import EnvError
    except ImportError as error:
        sys.stderr.write(f"keyadmin: {error}. Run `make run` once, then .venv/bin/python manage.py ...\n")
        return 2
    try:
        import keyadmin.settings  # noqa: F401  all of the environment is checked here
    except EnvError as error:
        sys.stderr.write(f"keyadmin: {error}\n")
        return 2
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _drop_output()
        return 1
    except OSError as error:  # such as a full disk behind a redirected output
        _drop_output()
        sys.stderr.write(f"keyadmin: {error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _drop_output() -> None:
    """What is still buffered goes nowhere, or Python would complain again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
