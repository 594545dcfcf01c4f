"""The one-time set-up link: printed at the start, good for one administrator, void with every new start."""

import re
from collections.abc import Iterator

import pytest

from tests.running.installation import PASSWORD, Installation, installation, submit

FORM = {"organization": "Acme", "name": "Dana", "email": "dana@example.org", "password": PASSWORD}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation without an administrator."""
    with installation(tmp_path_factory.mktemp("fresh")) as made:
        made.start()
        yield made


def links(made: Installation) -> list[str]:
    """The paths of all links printed so far."""
    return re.findall(rf"{re.escape(made.address)}(/setup/[A-Za-z0-9_-]{{43}}/)", made.output)


def test_commands_say_what_is_missing(fresh: Installation) -> None:
    done = fresh.run("create_key", "--name", "Too early")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "keyadmin: There is no organisation yet: open the set-up link that keyadmin prints at start.\n"
    )


@pytest.mark.parametrize("token", ["x" * 43, "0", "%00", "..%2F", "x" * 5000])
def test_wrong_tokens_open_nothing(fresh: Installation, token: str) -> None:
    assert fresh.get(f"/setup/{token}/").status_code == 404


def test_link_works_once_and_a_new_start_voids_the_older(fresh: Installation) -> None:
    (first,) = links(fresh)
    assert fresh.get(first).status_code == 200
    assert fresh.stop() == 0
    fresh.start()
    _, second = links(fresh)
    with fresh.browser() as early, fresh.browser() as late:
        assert early.get(first).status_code == 404

        bad = submit(early, second, {**FORM, "password": "short"})
        assert bad.status_code == 422
        assert early.get(second).status_code == 200, "a refused form leaves the link alive"

        assert late.get(second).status_code == 200
        done = submit(early, second, FORM)
        assert (done.status_code, done.headers["location"]) == (302, "/")
        assert early.get("/").headers["location"].startswith("/o/"), "signed in at once"

        # Whoever has the page open already comes too late.
        sent = {**FORM, "email": "eve@example.org", "csrfmiddlewaretoken": late.cookies["keyadmin-csrf"]}
        again = late.post(second, data=sent, headers={"Origin": fresh.address})
        assert again.status_code == 409
        assert late.get("/").status_code == 302

        signed_in = submit(late, "/sign-in/", {"login": "dana@example.org", "password": PASSWORD})
        assert signed_in.status_code == 302

    secret = fresh.secret("create_key", "--name", "Kept", "--permission", "view_customer")
    assert fresh.stop() == 0
    fresh.start()
    assert len(links(fresh)) == 2, "no link once an administrator exists"
    assert fresh.get("/crm/customers", key=secret).status_code == 200, "a restart keeps the keys"
    assert fresh.errors == ""
