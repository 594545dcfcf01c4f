#!/usr/bin/env python
"""Keyadmin's command line."""

import os
import sys


def main() -> int:
    """Run one command; a wrong environment is one line on standard error and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
