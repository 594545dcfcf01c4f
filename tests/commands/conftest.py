"""Commands run in this process, inside the test's transaction, as if typed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import load_command_class

from keyadmin.management.base import PlainCommand


@dataclass(frozen=True)
class Done:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("create_key", "--name", "x")`."""

    def once(name: str, *arguments: str) -> Done:
        capsys.readouterr()
        code = 0
        command = load_command_class("keyadmin", name)
        assert isinstance(command, PlainCommand)
        try:
            options: dict[str, Any] = vars(command.create_parser("manage.py", name).parse_args(arguments))
            command.execute(**options)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        written = capsys.readouterr()
        return Done(code, written.out, written.err)

    return once
