"""Each variable: what it takes, and the one line with which nonsense is refused. No line repeats a secret."""

import base64
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyadmin import env
from keyadmin.kernel import tokens

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()
WHOLE_KEY = tokens.mint("ka", "live").text


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def read(data: Path, **environ: str) -> env.Env:
    return env.read({"KEYADMIN_DATA_DIR": str(data), "KEYADMIN_MASTER_KEY": KEY, **environ})


def refusal(data: Path, **environ: str) -> str:
    with pytest.raises(env.EnvError) as refused:
        read(data, **environ)
    text = str(refused.value)
    assert text.isprintable(), "one line"
    assert len(text) < 400
    return text


def test_nothing_set_is_a_complete_environment(data: Path) -> None:
    found = env.read({"KEYADMIN_DATA_DIR": str(data)}, machine_config=data / "none.yml")
    assert (found.host, found.port, found.workers) == ("127.0.0.1", 8000, 1)
    assert (found.key_prefix, found.hash_scheme, found.rounds) == ("ka", "hmac_sha256", 30_000)
    assert (found.debug, found.sample, found.database, found.public_url) == (False, True, None, "")
    assert (found.unknown, found.unused) == ((), ())


def test_blank_means_unset(data: Path) -> None:
    names = {name for name in env.KNOWN if name != "KEYADMIN_DATA_DIR"} | {
        "DATABASE_URL",
        "USAGE_DATABASE_URL",
        "API_KEY_ROUNDS_NO",
    }
    blank = env.read({"KEYADMIN_DATA_DIR": str(data), **dict.fromkeys(names, "")})
    assert blank == env.read({"KEYADMIN_DATA_DIR": str(data)})


@pytest.mark.parametrize(
    ("name", "text", "attribute", "value"),
    [
        ("KEYADMIN_DEBUG", "On", "debug", True),
        ("KEYADMIN_SAMPLE", "no", "sample", False),
        ("KEYADMIN_REQUIRE_SITE_KEY", "on", "require_site_key", True),
        ("KEYADMIN_REQUIRE_SITE_KEY", "", "require_site_key", False),
        ("KEYADMIN_PORT", " 65535 ", "port", 65535),
        ("KEYADMIN_WORKERS", "4", "workers", 4),
        ("KEYADMIN_METRICS_ADDRESS", " LocalHost:9100 ", "metrics_address", ("localhost", 9100)),
        ("KEYADMIN_METRICS_ADDRESS", "[0::1]:9100", "metrics_address", ("::1", 9100)),
        ("EMAIL_URL", "smtps://mail.example.org", "mail", env.Mail("smtps", "mail.example.org", 465, "", "")),
        ("EMAIL_URL", "smtp+tls://u:a%2Fb@[::1]:99/", "mail", env.Mail("smtp+tls", "::1", 99, "u", "a/b")),
        ("REDIS_URL", " redis://localhost ", "redis_url", "redis://localhost"),
        ("REDIS_URL", "rediss://:a%2Fb@[::1]:6379/3", "redis_url", "rediss://:a%2Fb@[::1]:6379/3"),
        ("REDIS_URL", "unix:///run/redis.sock?db=2", "redis_url", "unix:///run/redis.sock?db=2"),
        ("KEYADMIN_MAIL_FROM", "keys@example.org", "mail_from", "keys@example.org"),
        ("KEYADMIN_PUBLIC_URL", "https://keys.example.org", "mail_from", "keyadmin@keys.example.org"),
        ("KEYADMIN_KEY_PREFIX", "acme2", "key_prefix", "acme2"),
        ("KEYADMIN_HASH_SCHEME", "pbkdf2_sha256", "hash_scheme", "pbkdf2_sha256"),
        ("API_KEY_ROUNDS_NO", "100000", "rounds", 100_000),
        ("KEYADMIN_HOST", "0:0:0:0:0:0:0:1", "host", "::1"),
        ("KEYADMIN_HOST", "[::1]", "host", "::1"),
        ("KEYADMIN_HOST", "Keys.Example.ORG", "host", "keys.example.org"),
        ("KEYADMIN_PUBLIC_URL", "https://keys.example.org/", "public_url", "https://keys.example.org"),
        ("KEYADMIN_PUBLIC_URL", "HTTPS://Keys.Example.ORG:443", "public_url", "https://keys.example.org"),
        ("KEYADMIN_PUBLIC_URL", "http://[::1]:8080", "public_url", "http://[::1]:8080"),
        ("KEYADMIN_TRUSTED_PROXIES", "10.0.0.1, fd00::/8", "trusted_proxies", ("10.0.0.1/32", "fd00::/8")),
    ],
)
def test_good_values(data: Path, name: str, text: str, attribute: str, value: object) -> None:
    assert getattr(read(data, **{name: text}), attribute) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KEYADMIN_DEBUG", "maybe"),
        ("EMAIL_URL", "mail.example.org"),
        ("EMAIL_URL", "https://mail.example.org"),
        ("EMAIL_URL", "smtp://"),
        ("EMAIL_URL", "smtp://mail.example.org:0"),
        ("EMAIL_URL", "smtp://mail.example.org:99999"),
        ("EMAIL_URL", "smtp://mail.example.org/inbox"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "redis://localhost:0"),
        ("REDIS_URL", "redis://localhost/name"),
        ("REDIS_URL", "redis://localhost?db=1&socket_timeout=99"),
        ("REDIS_URL", "unix://"),
        ("REDIS_URL", "unix:///run/redis.sock?socket_timeout=99"),
        ("KEYADMIN_MAIL_FROM", "nobody"),
        ("KEYADMIN_SAMPLE", "2"),
        ("KEYADMIN_REQUIRE_SITE_KEY", "maybe"),
        ("KEYADMIN_PORT", "0"),
        ("KEYADMIN_PORT", "65536"),
        ("KEYADMIN_PORT", "80.5"),
        ("KEYADMIN_PORT", "-1"),
        ("KEYADMIN_PORT", "\u0663\u0664"),
        ("KEYADMIN_PORT", "9" * 5000),
        ("KEYADMIN_WORKERS", "0"),
        ("KEYADMIN_WORKERS", "many"),
        ("KEYADMIN_METRICS_ADDRESS", "9100"),
        ("KEYADMIN_METRICS_ADDRESS", "localhost"),
        ("KEYADMIN_METRICS_ADDRESS", "::1:9100"),
        ("KEYADMIN_METRICS_ADDRESS", "localhost:65536"),
        ("API_KEY_ROUNDS_NO", "0"),
        ("API_KEY_ROUNDS_NO", "1e6"),
        ("KEYADMIN_HASH_SCHEME", "md5"),
        ("KEYADMIN_KEY_PREFIX", "Acme"),
        ("KEYADMIN_KEY_PREFIX", "2fast"),
        ("KEYADMIN_KEY_PREFIX", "a_b"),
        ("KEYADMIN_KEY_PREFIX", "a" * 17),
        ("KEYADMIN_HOST", "127.0.0.1:8000"),
        ("KEYADMIN_HOST", "http://localhost"),
        ("KEYADMIN_HOST", "256.1.1.1"),
        ("KEYADMIN_HOST", "127.1"),
        ("KEYADMIN_HOST", "fe80::1%eth0"),
        ("KEYADMIN_HOST", "b\u00fccher.example"),
        ("KEYADMIN_HOST", "a b"),
        ("KEYADMIN_PUBLIC_URL", "keys.example.org"),
        ("KEYADMIN_PUBLIC_URL", "ftp://keys.example.org"),
        ("KEYADMIN_PUBLIC_URL", "https://"),
        ("KEYADMIN_PUBLIC_URL", "https://keys.example.org/path"),
        ("KEYADMIN_PUBLIC_URL", "https://keys.example.org?x"),
        ("KEYADMIN_PUBLIC_URL", "https://keys.example.org#x"),
        ("KEYADMIN_PUBLIC_URL", "https://keys.example.org:"),
        ("KEYADMIN_PUBLIC_URL", "https://keys.example.org:0"),
        ("KEYADMIN_PUBLIC_URL", "https://keys.example.org:99999"),
        ("KEYADMIN_PUBLIC_URL", "https://keys example.org"),
        ("KEYADMIN_PUBLIC_URL", "https://b\u00fccher.example"),
        ("KEYADMIN_PUBLIC_URL", "https://[::1"),
        ("KEYADMIN_PUBLIC_URL", "https://*"),
        ("KEYADMIN_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("KEYADMIN_TRUSTED_PROXIES", "proxy.example.org"),
        ("KEYADMIN_MASTER_KEY", "c2hvcnQ="),
        ("KEYADMIN_MASTER_KEY_FILE", "/nowhere/key"),
        ("KEYADMIN_MASTER_KEY_FILE", "~nobody-of-this-name/key"),
        ("KEYADMIN_DATA_DIR", "/dev/null/data"),
        ("KEYADMIN_DATA_DIR", "/dev/null"),
        ("KEYADMIN_DATA_DIR", "~nobody-of-this-name/data"),
        ("KEYADMIN_DATA_DIR", "/tmp/" + "x" * 300),
        ("DATABASE_URL", "mysql://u@h/db"),
        ("USAGE_DATABASE_URL", "usage.sqlite3"),
        ("KEYADMIN_ORG", "a\x1b[31mb"),
        ("KEYADMIN_ORG", "x" * 151),
        ("KEYADMIN_ORG", "\udcff"),
    ],
)
def test_nonsense_is_refused_naming_the_variable(data: Path, name: str, text: str) -> None:
    environ = {"KEYADMIN_DATA_DIR": str(data), name: text}
    with pytest.raises(env.EnvError) as refused:
        env.read(environ)
    message = str(refused.value)
    assert message.startswith(f"{name}: ")
    assert message.isprintable()
    assert len(message) < 400


def test_refused_environment_leaves_nothing_behind(data: Path) -> None:
    refusal(data, KEYADMIN_PORT="nonsense")
    assert not data.exists()


def test_relative_data_directory_is_the_same_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    relative = os.path.relpath(tmp_path / "data", ROOT)
    monkeypatch.chdir("/")
    assert read(Path(relative)).data_dir == (tmp_path / "data").resolve()


@pytest.fixture
def not_root() -> Iterator[None]:
    """Root may read everything: become somebody else for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_unreadable_data_directory_is_refused(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for parent in [tmp_path, *list(tmp_path.parents)[:2]]:
        parent.chmod(0o755)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    request.getfixturevalue("not_root")
    assert refusal(closed) == f"KEYADMIN_DATA_DIR: can't use '{closed}': Permission denied."


def test_generated_master_key_is_for_the_owner_alone(data: Path) -> None:
    made = env.read({"KEYADMIN_DATA_DIR": str(data)})
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "master.key").stat().st_mode) == 0o600
    assert env.read({"KEYADMIN_DATA_DIR": str(data)}).master.fingerprint == made.master.fingerprint


def test_master_key_comes_from_variable_or_file_never_both(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    from_file = env.read({"KEYADMIN_DATA_DIR": str(data), "KEYADMIN_MASTER_KEY_FILE": str(file)})
    assert from_file.master.fingerprint == read(data).master.fingerprint
    assert not (data / "master.key").exists()
    assert "both" in refusal(data, KEYADMIN_MASTER_KEY_FILE=str(file))


@pytest.mark.parametrize(
    "environ",
    [
        {"KEYADMIN_MASTER_KEY": f"{KEY}x"},
        {"KEYADMIN_MASTER_KEY_FILE": KEY},
        {"KEYADMIN_KEY_PREFIX": WHOLE_KEY},
        {"KEYADMIN_PORT": WHOLE_KEY},
        {"KEYADMIN_ADMIN_EMAIL": "correct horse battery", "KEYADMIN_ADMIN_PASSWORD": "dana@example.org"},
        {"KEYADMIN_ADMIN_PASSWORD": "correct horse battery"},
        {"KEYADMIN_PUBLIC_URL": "https://dana:correct horse battery@keys.example.org"},
        {"KEYADMIN_TRUSTED_PROXIES": WHOLE_KEY},
        {"EMAIL_URL": "smtp://dana:correct horse battery@/"},
        {"REDIS_URL": "redis://:correct horse battery@/"},
        {"REDIS_URL": "redis://:correct horse battery@host:port"},
        {"DATABASE_URL": "postgresql://dana:correct horse battery@host:port/name"},
        {"DATABASE_URL": "postgresql://dana:12/correct horse battery@host/name"},
        {"DATABASE_URL": "postgresql://host/name?correct horse battery"},
        {"DATABASE_URL": "postgresql://host/name?correct horse battery=1"},
        {"DATABASE_URL": "postgresql://host/name#correct horse battery"},
        {"DATABASE_URL": "correct horse battery"},
        {"USAGE_DATABASE_URL": "postgresql://host/name#correct horse battery"},
    ],
)
def test_refusal_repeats_no_secret(data: Path, environ: dict[str, str]) -> None:
    with pytest.raises(env.EnvError) as refused:
        env.read({"KEYADMIN_DATA_DIR": str(data), **environ})
    secret = tokens.parse(WHOLE_KEY)
    assert secret is not None
    for text in (KEY, secret.secret, "horse"):
        assert text not in str(refused.value)


def test_environment_shows_no_secret_in_a_debug_page_or_traceback(data: Path) -> None:
    found = read(
        data,
        DATABASE_URL="postgresql://dana:sesame1@host/name?sslpassword=sesame2",
        KEYADMIN_ADMIN_EMAIL="dana@example.org",
        KEYADMIN_ADMIN_PASSWORD="sesame3",
    )
    assert "sesame" not in repr(found)
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"KEYADMIN_ADMIN_EMAIL": "dana@example.org"}, "KEYADMIN_ADMIN_PASSWORD"),
        ({"KEYADMIN_ADMIN_PASSWORD": "correct horse battery"}, "KEYADMIN_ADMIN_EMAIL"),
    ],
)
def test_first_administrator_needs_both_variables(data: Path, environ: dict[str, str], missing: str) -> None:
    assert refusal(data, **environ).startswith(f"{missing}: missing")


def test_access_records_may_have_a_database_of_their_own(data: Path) -> None:
    first, second = "postgresql://db.example.org/keyadmin", "postgresql://db.example.org/usage"
    found = read(data, DATABASE_URL=first, USAGE_DATABASE_URL=second)
    assert found.database is not None
    assert found.usage_database is not None
    assert (found.database.name, found.usage_database.name) == ("keyadmin", "usage")
    assert read(data, DATABASE_URL=first, USAGE_DATABASE_URL=first).usage_database is None, "that is the same one"


def test_misspelt_and_unused_variables_are_found(data: Path) -> None:
    found = read(data, KEYADMIN_PROT="80", KEYADMIN_ORG="Acme", KEYADMIN_SOAK="1")
    assert found.unknown == ("KEYADMIN_PROT",)
    assert found.unused == ("KEYADMIN_ORG",)


@pytest.mark.parametrize(
    ("environ", "hosts"),
    [
        ({}, {"localhost", "127.0.0.1", "[::1]"}),
        ({"KEYADMIN_HOST": "0.0.0.0"}, {"localhost", "127.0.0.1", "[::1]"}),
        ({"KEYADMIN_HOST": "::"}, {"localhost", "127.0.0.1", "[::1]"}),
        ({"KEYADMIN_HOST": "10.1.2.3"}, {"localhost", "127.0.0.1", "[::1]", "10.1.2.3"}),
        ({"KEYADMIN_HOST": "FD00::0:1"}, {"localhost", "127.0.0.1", "[::1]", "[fd00::1]"}),
        (
            {"KEYADMIN_PUBLIC_URL": "https://Keys.example.org:8443"},
            {"localhost", "127.0.0.1", "[::1]", "keys.example.org"},
        ),
    ],
)
def test_answered_hosts(data: Path, environ: dict[str, str], hosts: set[str]) -> None:
    assert set(env.allowed_hosts(read(data, **environ))) == hosts


@pytest.mark.parametrize(
    "command", [[], ["help"], ["up"], ["worker"], ["list_keys"], ["check"], ["create_key", "--name", "x"]]
)
def test_every_command_stops_with_one_line_and_code_2(data: Path, command: list[str]) -> None:
    environment = {**os.environ, "KEYADMIN_DATA_DIR": str(data), "KEYADMIN_PORT": "eighty\n80"}
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "keyadmin: KEYADMIN_PORT: 'eighty\\n80' is not a whole number from 1 to 65535.\n"
