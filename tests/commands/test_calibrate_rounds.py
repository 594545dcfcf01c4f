"""`calibrate_rounds` measures this machine, prints the line to configure, and changes nothing."""

import json
import os
import re
from functools import partial

import pytest

from keyadmin.kernel import calibration
from keyadmin.management.commands import calibrate_rounds
from tests.commands.conftest import Run
from tests.instance.saving import save
from tests.pages.test_open_every_page import database_down
from tests.world import World

TARGET = "2"  # milliseconds: short, so that the test is

pytestmark = pytest.mark.django_db


def test_people_read_probes_result_and_the_line_for_each_place(run: Run) -> None:
    done = run("calibrate_rounds", "pbkdf2_sha256", TARGET)
    found = re.search(r"^rounds: +([0-9]+)$", done.out, re.M)
    assert found is not None
    rounds = found[1]
    for line in (
        r"probe 1: +10000 rounds take [0-9.]+ ms",
        r"probe 2: +100000 rounds take [0-9.]+ ms",
        rf"measured: +{rounds} rounds take [0-9.]+ ms, (NOT )?within 10 % of 2 ms",
        rf"environment: +API_KEY_ROUNDS_NO={rounds}",
        rf"or a line: +api_key_rounds_no: {rounds}",
        r"in the file: +.*config\.yml or /etc/keyadmin/config\.yml",
        r"now: +30000 \(default\)",
        r".*190 bits.*nothing.*",
    ):
        assert re.search(f"^{line}$", done.out, re.M), line
    assert "Warning: " in done.err
    assert "weak" in done.err
    assert "600,000" in done.err
    assert done.code == ("NOT within" in done.out), "1 if it was not reached"


def test_programs_read_json(run: Run) -> None:
    done = run("calibrate_rounds", "pbkdf2_sha256", TARGET, "--json")
    found = json.loads(done.out)
    assert [probe["rounds"] for probe in found["probes"]] == [10_000, 100_000]
    assert all(probe["milliseconds"] > 0 for probe in [*found["probes"], found["measured"]])
    assert found["measured"]["rounds"] == found["rounds"]
    assert found["environment"] == f"API_KEY_ROUNDS_NO={found['rounds']}"
    assert found["config_yml"] == f"api_key_rounds_no: {found['rounds']}"
    assert (found["rounds_now"], found["rounds_source"]) == (30_000, "default")
    assert "weak" in found["warnings"][0]
    assert done.code == (not found["reached"])
    assert (done.err == "") == found["reached"]


def test_a_saved_number_is_told_as_the_one_of_now(run: Run, world: World) -> None:
    save(45_000)
    found = json.loads(run("calibrate_rounds", "hmac_sha256", "100", "--json").out)
    assert (found["rounds_now"], found["rounds_source"]) == (45_000, "saved")


def test_without_a_database_there_is_none(run: Run, world: World) -> None:
    save(45_000)
    with database_down():
        done = run("calibrate_rounds", "hmac_sha256", "100", "--json")
    assert (done.code, json.loads(done.out)["rounds_now"]) == (0, 30_000)


def test_a_hash_without_rounds_is_answered_in_words(run: Run) -> None:
    done = run("calibrate_rounds", "hmac_sha256", "100")
    assert (done.code, done.err) == (0, "")
    assert "hmac_sha256 has no rounds" in done.out
    assert "API_KEY_ROUNDS_NO" not in done.out
    found = json.loads(run("calibrate_rounds", "hmac_sha256", "100", "--json").out)
    assert (found["rounds"], found["probes"], found["measured"], found["environment"]) == (None, [], None, None)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_target_that_is_not_reached_is_code_1(run: Run, options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine where everything takes 40 ms, which this one is not."""
    stuck = partial(calibration.calibrate, prepare=lambda rounds: lambda: (40.0, 40.0))
    monkeypatch.setattr(calibrate_rounds, "calibrate", stuck)
    done = run("calibrate_rounds", "pbkdf2_sha256", "100", *options)
    assert done.code == 1
    assert done.out, "what was measured is printed all the same"
    assert "keyadmin: The target was not reached: " in done.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["md5", "100"], "choose hmac_sha256 or pbkdf2_sha256"),
        (["PBKDF2_SHA256", "100"], "choose hmac_sha256 or pbkdf2_sha256"),
        (["\udcff", "100"], "UTF-8"),
        (["pbkdf2_sha256", "0"], "from 1 to 10000"),
        (["pbkdf2_sha256", "10001"], "from 1 to 10000"),
        (["pbkdf2_sha256", "-5"], ""),
        (["pbkdf2_sha256", "1.5"], "target_ms"),
        (["pbkdf2_sha256", "soon"], "target_ms"),
        (["pbkdf2_sha256", "9" * 5000], "target_ms"),
        (["pbkdf2_sha256"], "target_ms"),
        ([], "hash_name"),
    ],
)
def test_misuse_is_one_line_and_code_2(run: Run, arguments: list[str], why: str) -> None:
    done = run("calibrate_rounds", *arguments)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"[^\n]+\n", done.err)
    assert why in done.err


def test_progress_is_drawn_on_a_terminal_and_wiped_away() -> None:
    ours, theirs = os.openpty()
    with open(ours, "rb", buffering=0) as screen, open(theirs, "w") as terminal:
        draw = calibrate_rounds.line(terminal)
        draw(30_000, 1, 2)
        assert b"Measuring 30000 rounds: 1 of 2" in screen.read(1000)
        draw(30_000, 2, 2)
        assert screen.read(1000).endswith(b"\r\x1b[K")
