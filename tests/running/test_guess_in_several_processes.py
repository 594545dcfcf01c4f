"""Wrong passwords and codes are counted by all processes together, and no code is taken in two of them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.pages.signing_in import code_of
from tests.running.installation import PASSWORD, ROOT, Installation, origin, prepared, submit

APP = "/me/security/app/"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """With two web processes."""
    with prepared(tmp_path_factory.mktemp("several"), KEYADMIN_WORKERS="2") as made:
        made.start()
        yield made


@pytest.fixture
def several(made: Installation) -> Iterator[Installation]:
    """Each test begins with no try counted."""
    yield made
    guess(made, "forget")


def guess(made: Installation, *arguments: str) -> list[str]:
    """What a process of its own is told."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.running.guesser", *arguments],
        cwd=ROOT,
        env=made.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_wrong_passwords_count_together(several: Installation) -> None:
    assert guess(several, "password", "wrong-1", "wrong-2", "wrong-3") == ["wrong"] * 3
    assert guess(several, "password", "wrong-4", "wrong-5", PASSWORD) == ["wrong", "wrong", "too many"]
    with several.browser() as browser:
        late = submit(browser, "/sign-in/", {"login": "dana@example.org", "password": PASSWORD})
    assert late.status_code == 429
    assert "Too many attempts" in late.text


def test_wrong_codes_count_together_and_a_code_is_taken_once(several: Installation) -> None:
    with several.browser() as browser:
        submit(browser, "/sign-in/", {"login": "dana@example.org", "password": PASSWORD})
        page = browser.get(APP).text
        (secret,) = re.findall(r'id="totp-secret"[^>]*>(\w+)<', page)
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)) & set(
            re.findall(r'novalidate><input type="hidden" name="csrfmiddlewaretoken" value="(\w+)"', page)
        )
        sent = {"csrfmiddlewaretoken": token, "code": code_of(secret, steps=-1)}
        assert browser.post(APP, data=sent, headers={"Origin": origin(browser)}).status_code == 302

    code = code_of(secret)
    assert guess(several, "code", PASSWORD, code) == ["in"]
    assert guess(several, "code", PASSWORD, code, "000000", "000000") == ["wrong"] * 3
    assert guess(several, "code", PASSWORD, "000000", "000000", code_of(secret, steps=1)) == [
        "wrong",
        "wrong",
        "too many",
    ]
    assert "Traceback" not in several.errors  # several processes without REDIS_URL are warned of
