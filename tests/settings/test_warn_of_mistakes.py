"""System checks: valid environments that are likely mistakes, each with its id and a hint; silent otherwise."""

import dataclasses
from pathlib import Path

import pytest
from django.core.checks import run_checks

from keyadmin import env
from keyadmin.checks import missing_site_key, problems_of
from keyadmin.kernel.actor import SYSTEM
from keyadmin.sitekey.services import replace_site_key

LOCAL: dict[str, str] = {}
PUBLIC = {"KEYADMIN_HOST": "0.0.0.0", "KEYADMIN_PUBLIC_URL": "https://keys.example.org"}


def read(tmp_path: Path, environ: dict[str, str]) -> env.Env:
    return env.read({"KEYADMIN_DATA_DIR": str(tmp_path / "data"), **environ})


@pytest.mark.parametrize(
    "environ",
    [
        LOCAL,
        PUBLIC,
        {"KEYADMIN_HOST": "::1"},
        {"KEYADMIN_HOST": "localhost"},
        {"KEYADMIN_PUBLIC_URL": "http://localhost:8000"},
        {"KEYADMIN_PUBLIC_URL": "http://127.0.0.1:8000"},
        {"KEYADMIN_DEBUG": "on"},
        {"API_KEY_ROUNDS_NO": "1"},
        {"KEYADMIN_HASH_SCHEME": "pbkdf2_sha256"},
        {"KEYADMIN_TRUSTED_PROXIES": "10.0.0.0/8 ::1"},
        {"KEYADMIN_SOAK": "1"},
        {"KEYADMIN_WORKERS": "3", "REDIS_URL": "redis://localhost"},
        {"REDIS_URL": "rediss://:p@cache.example.org"},
        {"REDIS_URL": "redis://cache.example.org"},  # no password that could be read
        {"EMAIL_URL": "smtp://localhost"},
        {"EMAIL_URL": "smtp+tls://u:p@mail.example.org", "KEYADMIN_MAIL_FROM": "keys@example.org"},
        {"KEYADMIN_ORG": "Acme", "KEYADMIN_ADMIN_EMAIL": "d@example.org", "KEYADMIN_ADMIN_PASSWORD": "x"},
    ],
)
def test_nothing_to_warn_of(tmp_path: Path, environ: dict[str, str]) -> None:
    assert problems_of(read(tmp_path, environ)) == []


@pytest.mark.parametrize(
    ("environ", "ids", "hint"),
    [
        ({"KEYADMIN_PROT": "80"}, ["W001"], "KEYADMIN_PORT"),
        ({"KEYADMIN_FRIENDLY": "yes"}, ["W001"], "README"),
        ({"KEYADMIN_HOST": "0.0.0.0"}, ["W002"], "KEYADMIN_PUBLIC_URL"),
        ({"KEYADMIN_HOST": "10.1.2.3"}, ["W002"], "KEYADMIN_PUBLIC_URL"),
        ({"KEYADMIN_PUBLIC_URL": "http://keys.example.org"}, ["W003"], "TLS"),
        ({"KEYADMIN_HASH_SCHEME": "pbkdf2_sha256", "API_KEY_ROUNDS_NO": "9999"}, ["W004"], "10000"),
        ({**PUBLIC, "KEYADMIN_DEBUG": "on"}, ["W005"], "KEYADMIN_DEBUG"),
        ({"KEYADMIN_TRUSTED_PROXIES": "0.0.0.0/0"}, ["W006"], "proxies"),
        ({"KEYADMIN_TRUSTED_PROXIES": "::/0"}, ["W006"], "proxies"),
        ({"EMAIL_URL": "smtp://mail.example.org"}, ["W010"], "smtps://"),
        ({"KEYADMIN_WORKERS": "2"}, ["W011"], "REDIS_URL"),
        ({"REDIS_URL": "redis://:p@cache.example.org"}, ["W012"], "rediss://"),
        ({"KEYADMIN_ORG": "Acme"}, ["W008"], "KEYADMIN_ADMIN_EMAIL"),
    ],
)
def test_warning(tmp_path: Path, environ: dict[str, str], ids: list[str], hint: str) -> None:
    found = problems_of(read(tmp_path, environ))
    assert [problem.id for problem in found] == [f"keyadmin.{number}" for number in ids]
    assert hint in (found[0].hint or "")


def test_open_data_directory(tmp_path: Path) -> None:
    found = read(tmp_path, LOCAL)
    found.data_dir.chmod(0o755)
    (problem,) = problems_of(found)
    assert (problem.id, problem.hint) == ("keyadmin.W009", f"Type: chmod 700 {found.data_dir}")


def test_checks_run_with_djangos(tmp_path: Path, settings: object) -> None:
    wrong = dataclasses.replace(read(tmp_path, LOCAL), unknown=("KEYADMIN_PROT",))
    settings.ENV = wrong  # type: ignore[attr-defined]
    assert "keyadmin.W001" in [problem.id for problem in run_checks()]


def test_a_site_key_that_is_demanded_and_not_there(db: None, settings: object) -> None:
    def found() -> list[str | None]:
        return [problem.id for problem in run_checks(databases=["default"])]

    assert "keyadmin.W013" not in found()
    settings.ENV = dataclasses.replace(settings.ENV, require_site_key=True)  # type: ignore[attr-defined]
    (problem,) = missing_site_key()
    assert problem.hint is not None
    assert "site_key --make" in problem.hint
    assert "keyadmin.W013" in found()
    assert "keyadmin.W013" not in [problem.id for problem in run_checks()], "without a database"
    replace_site_key(actor=SYSTEM)
    assert "keyadmin.W013" not in found()
