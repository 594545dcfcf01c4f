"""`site_key`: shows the state; one that is made is printed alone, one that is entered comes on standard input."""

import io
import json
import sys

import pytest
from django.conf import settings

from keyadmin.activity.models import Event
from keyadmin.sitekey.models import SiteKey
from tests.commands.conftest import Run
from tests.world import World

STRONG, WEAK = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "correct-horse-battery-staple-2024"


def counts(secret: str) -> bool:
    return any(settings.KEY_HASHER.verify(secret, key.verifier) for key in SiteKey.objects.all())


def test_without_an_option_it_shows_and_changes_nothing(world: World, run: Run) -> None:
    done = run("site_key")
    assert (done.code, done.out, done.err) == (0, "demanded:         no\nsite key:         none\n", "")
    assert not SiteKey.objects.exists()


def test_one_that_is_made_is_printed_alone(world: World, run: Run) -> None:
    done = run("site_key", "--make", "--reason", "first")
    assert done.code == 0
    assert counts(done.out.strip())
    assert done.out.strip() not in done.err
    assert "first" in Event.objects.get(name="site_key.created").text
    assert counts(json.loads(run("site_key", "--make", "--json").out)["site_key"])
    shown = run("site_key").out
    assert "former site key:  kasite_live_" in shown
    assert "operator of the machine" in shown


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_one_made_elsewhere_is_read_from_standard_input(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{STRONG}{end}"))
    done = run("site_key", "--assign")
    assert done.code == 0
    assert STRONG not in done.out + done.err
    assert counts(STRONG)


def test_a_weak_one_is_warned_of_and_what_is_none_is_misuse(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(WEAK))
    assert "weak" in run("site_key", "--assign").err
    monkeypatch.setattr(sys, "stdin", io.StringIO("short"))
    done = run("site_key", "--assign")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("keyadmin: site_key: At least 16 characters")


def test_it_is_demanded_and_stopped(world: World, run: Run) -> None:
    refused = run("site_key", "--demand")
    assert (refused.code, refused.err) == (1, "keyadmin: There is no site key yet, so none can be demanded.\n")
    run("site_key", "--make")
    assert run("site_key", "--demand").out.startswith("demanded:         yes (by the saved setting)\n")
    assert run("site_key", "--revoke").code == 1
    assert run("site_key", "--stop-demanding").out.startswith("demanded:         no\n")
    assert "none" in run("site_key", "--revoke").out


@pytest.mark.parametrize(("span", "both"), [("0", False), ("15m", True), ("7d", True), ("90", True)])
def test_the_overlap_is_a_span_of_time(world: World, run: Run, span: str, both: bool) -> None:
    first = run("site_key", "--make").out.strip()
    run("site_key", "--make", "--overlap", span)
    assert counts(first) is both
    run("site_key", "--end-overlap")
    assert not counts(first)


@pytest.mark.parametrize(
    "arguments", [["--make", "--overlap", "soon"], ["--make", "--overlap", "31d"], ["--make", "--assign"]]
)
def test_what_makes_no_sense_is_misuse(world: World, run: Run, arguments: list[str]) -> None:
    done = run("site_key", *arguments)
    assert (done.code, done.out) == (2, "")
    assert not SiteKey.objects.exists()
