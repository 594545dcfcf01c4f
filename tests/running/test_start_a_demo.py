"""`up --demo`: from nothing to an organisation to look around in; once, and never beside real data."""

import re
from pathlib import Path

from tests.running.installation import installation, prepared, submit


def test_a_demo_is_made_once_and_its_people_can_sign_in(tmp_path: Path) -> None:
    with installation(tmp_path / "demo") as made:
        made.start("--demo")
        first = made.output
        (password,) = re.findall(r"shown only now: (\S+)$", first, re.MULTILINE)
        assert "/setup/" not in first
        with made.browser() as browser:
            fields = {"login": "ari@westmarch.example.org", "password": password}
            assert submit(browser, "/sign-in/", fields).status_code == 302
            assert "Signed in" in browser.get("/o/westmarch-telecom/activity/").text
        assert made.stop() == 0

        made.start("--demo")
        assert made.output == f"{first}Keyadmin: {made.address}\n"
        assert made.errors == ""


def test_a_demo_is_refused_beside_an_administrator(tmp_path: Path) -> None:
    with prepared(tmp_path / "real") as made:
        made.launch("--demo")
        assert made.process is not None
        assert made.process.wait(60) == 1
        assert re.fullmatch(r"keyadmin: The demo needs a new database[^\n]+\n", made.errors)
        assert made.output == ""
