"""`assign_key`: the secret comes on standard input and is never printed back."""

import io
import json
import sys
from collections.abc import Callable

import pytest

from keyadmin.keys.models import APIKey
from tests.commands.conftest import Done, Run
from tests.world import World

STRONG, WEAK = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "correct-horse-battery-staple-2024"
Assign = Callable[..., Done]


@pytest.fixture
def assign(run: Run, monkeypatch: pytest.MonkeyPatch, world: World) -> Assign:
    """`assign("secret\\n", "--json")`."""

    def once(typed: str, *arguments: str, user: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        done = run("assign_key", "--user", user or str(world.robot.pk), *arguments)
        assert STRONG not in done.out + done.err
        assert WEAK not in done.out + done.err
        return done

    return once


def status(world: World, secret: str) -> int:
    return world.client(key=secret).get("/api/v1/whoami").status_code


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_line_on_standard_input_is_entered(world: World, assign: Assign, end: str) -> None:
    done = assign(f"{STRONG}{end}")
    assert (done.code, done.out) == (0, "")
    assert "Robot (assigned)" in done.err
    assert status(world, STRONG) == 200
    assert "weak" not in done.err


def test_the_user_is_named_by_id_uid_or_address(world: World, assign: Assign) -> None:
    for n, name in enumerate((str(world.auditor.pk), str(world.auditor.uid), "ARI@example.org")):
        assert assign(f"{STRONG}{n}", user=name).code == 0
    assert APIKey.objects.get().owner == world.auditor
    nobody = assign(STRONG, user="nobody@example.org")
    assert (nobody.code, nobody.err) == (1, "keyadmin: There is no such user.\n")


def test_a_weak_one_is_warned_of(assign: Assign) -> None:
    assert "weak" in assign(WEAK).err
    assert "weak" in json.loads(assign(WEAK, "--json").out)["warning"]


def test_an_empty_line_revokes(world: World, assign: Assign) -> None:
    assert "nothing was done" in assign("\n").err
    assert assign(STRONG).code == 0
    assert "is revoked" in assign("\n").err
    assert status(world, STRONG) == 401


def test_a_generated_one_is_printed_alone(world: World, assign: Assign) -> None:
    done = assign("ignored", "--generate")
    assert status(world, done.out.strip()) == 200
    assert "ignored" not in done.out + done.err


@pytest.mark.parametrize("typed", [f"{STRONG}\n{WEAK}\n", "short\n", f" {STRONG}\n", "x" * 300])
def test_what_is_no_secret_is_misuse(assign: Assign, typed: str) -> None:
    done = assign(typed)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("keyadmin: api_key: ")
    assert done.err.count("\n") == 1
    assert not APIKey.objects.exists()


def test_a_given_key_is_named_by_its_masked_form_if_that_is_one(assign: Assign, run: Run, world: World) -> None:
    assign(STRONG)
    key = APIKey.objects.get()
    assert json.loads(run("show_key", key.masked, "--json").out)["api_key_id"] == key.pk
    assign(f"0c9e2d71-5b3a-4f86-9d14-e7a8b6c5{STRONG[-4:]}", user=str(world.auditor.pk))
    several = run("pause_key", key.masked)
    assert (several.code, several.err) == (2, "keyadmin: key: Several API keys end like this: name one by its id.\n")
