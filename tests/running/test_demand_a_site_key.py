"""A whole installation whose variable demands a site key that is not there yet; then it is made, and replaced."""

from pathlib import Path

from tests.running.installation import ADMINISTRATOR, Installation, installation

ASKS = 20  # requests after each answer


def codes(made: Installation, key: str, site_key: str = "") -> set[tuple[int, str]]:
    """What every process says at both doors, many times."""
    headers = {"X-SITE-KEY": site_key} if site_key else {}
    found = set[tuple[int, str]]()
    for path in ("/verify", "/api/v1/whoami"):
        for _ in range(ASKS):
            answer = made.get(path, key=key, **headers)
            found.add((answer.status_code, "" if answer.status_code == 200 else answer.json()["code"]))
    return found


def made_by_command(made: Installation, *arguments: str) -> str:
    done = made.run("site_key", "--make", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_starts_says_what_to_do_and_opens_once_there_is_one(tmp_path: Path) -> None:
    demanding = {"KEYADMIN_REQUIRE_SITE_KEY": "on", "KEYADMIN_WORKERS": "2"}
    with installation(tmp_path / "it", **ADMINISTRATOR, **demanding) as made:
        made.start()
        assert "no API key is accepted" in made.errors
        assert "site_key --make" in made.errors
        assert "keyadmin.W013" in made.errors
        key = made.secret("create_key", "--name", "Any", "--permission", "view_customer")
        assert codes(made, key) == codes(made, key, "nonsense") == {(401, "site_key_required")}
        assert "by KEYADMIN_REQUIRE_SITE_KEY" in made.run("site_key").stdout

        first = made_by_command(made)
        assert codes(made, key, first) == {(200, "")}
        second = made_by_command(made)
        assert codes(made, key, first) == codes(made, key, second) == {(200, "")}
        third = made_by_command(made, "--overlap", "0")
        assert codes(made, key, third) == {(200, "")}
        assert codes(made, key, first) == codes(made, key, second) == codes(made, key) == {(401, "site_key_required")}

        logged = made.output + made.errors
        assert not [one for one in (first, second, third, key) if one in logged]
        made.stop()
        made.start()
        assert made.errors.count("keyadmin.W013") == 1, "not said again"
        assert codes(made, key, third) == {(200, "")}
