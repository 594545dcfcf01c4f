"""Where the number of rounds comes from, highest first, and what may stand in `config.yml`."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keyadmin import env
from keyadmin.checks import problems_of
from keyadmin.kernel import tokens

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def config(data: Path) -> Path:
    return data / "config.yml"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """What /etc/keyadmin/config.yml is on a real machine."""
    return tmp_path / "machine.yml"


def read(data: Path, machine: Path, **environ: str) -> env.Env:
    environ = {"KEYADMIN_DATA_DIR": str(data), "KEYADMIN_MASTER_KEY": KEY, **environ}
    return env.read(environ, machine_config=machine)


def refusal(data: Path, machine: Path) -> str:
    with pytest.raises(env.EnvError) as refused:
        read(data, machine)
    text = str(refused.value)
    assert text.isprintable(), "one line"
    return text


def test_the_first_place_that_has_a_number_wins(data: Path, config: Path, machine: Path) -> None:
    found = read(data, machine)
    assert (found.rounds, found.rounds_source) == (30_000, "default")
    machine.write_text("api_key_rounds_no: 40000\n")
    found = read(data, machine)
    assert (found.rounds, found.rounds_source) == (40_000, str(machine))
    config.write_text("api_key_rounds_no: 50000\n")
    found = read(data, machine)
    assert (found.rounds, found.rounds_source) == (50_000, str(config))
    found = read(data, machine, API_KEY_ROUNDS_NO="60000")
    assert (found.rounds, found.rounds_source) == (60_000, "API_KEY_ROUNDS_NO")
    found = read(data, machine, API_KEY_ROUNDS_NO=" ")
    assert found.rounds_source == str(config), "blank means unset"


def test_a_file_without_a_number_leaves_the_word_to_the_next(data: Path, config: Path, machine: Path) -> None:
    config.write_text("# api_key_rounds_no: 50000\n")
    machine.write_text("api_key_rounds_no: 40000\n")
    assert read(data, machine).rounds_source == str(machine)


def test_the_machine_wide_file_is_the_documented_one() -> None:
    assert str(env.MACHINE_CONFIG) == "/etc/keyadmin/config.yml"


@pytest.mark.parametrize(
    "text",
    [
        "api_key_rounds_no: 50000",
        "api_key_rounds_no:\t50000  \n",
        "# for all of us\n\n   \napi_key_rounds_no: 50000 # measured\n  # end\n",
        "api_key_rounds_no: 50000\r\n",
        "\ufeffapi_key_rounds_no: 50000\n",
    ],
)
def test_lines_that_are_taken(data: Path, config: Path, machine: Path, text: str) -> None:
    config.write_bytes(text.encode())
    assert read(data, machine).rounds == 50_000


@pytest.mark.parametrize("number", [1, 100_000_000])
def test_the_bounds_are_allowed(data: Path, config: Path, machine: Path, number: int) -> None:
    config.write_text(f"api_key_rounds_no: {number}")
    assert read(data, machine).rounds == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rounds: 5", "rounds is no setting; there is api_key_rounds_no."),
        ("API_KEY_ROUNDS_NO: 5", "API_KEY_ROUNDS_NO is no setting"),
        ("runden_\u00fc: 5", "is no setting"),
        ("api_key_rounds_no: 0", "is not a whole number from 1 to 100000000."),
        ("api_key_rounds_no: 100000001", "is not a whole number"),
        ("api_key_rounds_no: 0777", "is not a whole number"),  # octal in YAML 1.1
        ("api_key_rounds_no: " + "9" * 5000, "is not a whole number"),
        ("api_key_rounds_no: 5\napi_key_rounds_no: 6", "line 2: api_key_rounds_no is given twice."),
        *(
            (text, "write it as api_key_rounds_no: 30000")
            for text in (
                "api_key_rounds_no:",
                "api_key_rounds_no:5",
                "api_key_rounds_no 5",
                "api_key_rounds_no=5",
                "api_key_rounds_no: -5",
                "api_key_rounds_no: 1e6",
                "api_key_rounds_no: 30_000",
                "api_key_rounds_no: '5'",
                "api_key_rounds_no: 5#6",
                "api_key_rounds_no: \u0663",
                " api_key_rounds_no: 5",
                "- api_key_rounds_no: 5",
                "{api_key_rounds_no: 5}",
                "---",
                "nonsense",
                "api_key_rounds_no: 5\x00",
                "api_key_rounds_no: 5\u2028rounds: 6",
            )
        ),
    ],
)
@pytest.mark.parametrize("place", ["config", "machine"])
def test_anything_else_stops_the_start_naming_file_and_line(
    data: Path, config: Path, machine: Path, text: str, why: str, place: str
) -> None:
    file = {"config": config, "machine": machine}[place]
    file.write_bytes(text.encode())
    line = refusal(data, machine)
    assert line.startswith(f"{file}, line ")
    assert why in line
    assert len(line) < 400


def test_a_file_counts_even_where_the_variable_wins(data: Path, config: Path, machine: Path) -> None:
    config.write_text("nonsense")
    with pytest.raises(env.EnvError, match=r"config\.yml, line 1"):
        read(data, machine, API_KEY_ROUNDS_NO="60000")


def test_files_that_can_not_be_read(data: Path, config: Path, machine: Path) -> None:
    config.mkdir()
    assert refusal(data, machine) == f"{config}: this is not a file."
    config.rmdir()
    os.mkfifo(config)
    assert refusal(data, machine) == f"{config}: this is not a file."
    config.unlink()
    config.write_bytes(b"\xff\xfe")
    assert refusal(data, machine) == f"{config}: this is not text in UTF-8."
    config.write_bytes(b"\n" * 70_000)
    assert refusal(data, machine) == f"{config}: this is longer than 65536 bytes."
    config.unlink()
    machine.write_text("")
    assert refusal(data, machine / "config.yml") == f"{machine / 'config.yml'}: can't be read: Not a directory."


def test_refusal_repeats_no_secret(data: Path, config: Path, machine: Path) -> None:
    key = tokens.mint("ka", "live").text
    for text in (key, f"{key}: 5", f"api_key_rounds_no: {key}", KEY, f"master_key: {KEY}"):
        config.write_text(text)
        line = refusal(data, machine)
        assert key[20:52] not in line
        assert KEY not in line


def test_refused_file_of_the_machine_leaves_nothing_behind(tmp_path: Path, machine: Path) -> None:
    machine.write_text("nonsense")
    refusal(tmp_path / "new", machine)
    assert not (tmp_path / "new").exists()


def test_a_weak_number_is_warned_of_by_its_source(data: Path, config: Path, machine: Path) -> None:
    config.write_text("api_key_rounds_no: 9999")
    (problem,) = problems_of(read(data, machine, KEYADMIN_HASH_SCHEME="pbkdf2_sha256"))
    assert problem.id == "keyadmin.W004"
    assert str(config) in problem.msg


@pytest.mark.parametrize("command", ["up", "list_keys", "calibrate_rounds"])
def test_commands_stop_with_one_line_and_code_2(data: Path, config: Path, command: str) -> None:
    config.write_text("api_key_rounds_no: many\n")
    environment = {**os.environ, "KEYADMIN_DATA_DIR": str(data)}
    done = subprocess.run(
        [sys.executable, "manage.py", command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"keyadmin: {config}, line 1: ")
    assert done.stderr.count("\n") == 1


def test_the_number_is_what_new_slow_hashes_get(data: Path, config: Path) -> None:
    config.write_text("api_key_rounds_no: 12\n")
    program = (
        "from keyadmin.settings import KEY_HASHER as h; import sys; sys.stdout.write(h.hash('x', 'pbkdf2_sha256'))"
    )
    environment = {**os.environ, "KEYADMIN_DATA_DIR": str(data)}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("$pbkdf2-hmac-sha256$k=1$12$")
