"""`create_key` and `regenerate_key`: the secret once, on standard output alone; everything else beside it."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from keyadmin.activity import queries as activity
from keyadmin.keys.models import APIKey
from tests.commands.conftest import Run
from tests.world import World

SECRET = re.compile(r"ka_(live|test)_[0-9A-Za-z]{50}\n")


def status(world: World, secret: str) -> int:
    return world.client(key=secret.strip()).get("/api/v1/whoami").status_code


def test_secret_stands_alone_on_standard_output(world: World, run: Run) -> None:
    done = run("create_key", "--organization", "acme", "--name", "Billing", "--permission", "view_invoice")
    assert done.code == 0
    assert SECRET.fullmatch(done.out)
    assert done.err == f"API key {APIKey.objects.get().pk} (Billing) was made. Its secret is shown only now:\n"
    assert status(world, done.out) == 200


def test_json_is_the_answer_of_rest(world: World, run: Run) -> None:
    made = json.loads(run("create_key", "--organization", "acme", "--name", "Billing", "--json").out)
    assert status(world, made.pop("api_key")) == 200
    assert made == world.client(world.admin).get(f"/api/v1/api-keys/{made['api_key_id']}").json()
    shown = json.loads(run("show_key", str(made["api_key_id"]), "--json").out)
    assert shown == made
    assert json.loads(run("list_keys", "--json").out) == [made]


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        ("never", None),
        ("2099-01-31", datetime(2099, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2099-01-31T12:00:00+02:00", datetime(2099, 1, 31, 10, tzinfo=UTC)),
        ("90d", 90),
    ],
)
def test_expiry(world: World, run: Run, expires: str, expected: datetime | int | None) -> None:
    if isinstance(expected, int):
        day = datetime.now(UTC) + timedelta(days=expected)
        expected = day.replace(hour=23, minute=59, second=59, microsecond=0)
    assert run("create_key", "--organization", "acme", "--name", "x", "--expires", expires).code == 0
    assert APIKey.objects.get().expires_at == expected


@pytest.mark.parametrize(
    "expires", ["", "yesterday", "2020-01-01", "2099-02-30", "0d", "-1d", "99999d", "90", "1y", "٩d"]
)
def test_nonsense_expiry_is_misuse(world: World, run: Run, expires: str) -> None:
    done = run("create_key", "--organization", "acme", "--name", "x", f"--expires={expires}")
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"keyadmin: expires: [^\n]+\n", done.err)
    assert not APIKey.objects.exists()


def test_admin_and_permissions_exclude_each_other(world: World, run: Run) -> None:
    everything = run("create_key", "--organization", "acme", "--name", "x", "--admin")
    assert everything.code == 0
    assert APIKey.objects.get().permissions == ["*"]
    both = run("create_key", "--organization", "acme", "--name", "x", "--admin", "--permission", "view_invoice")
    assert both.code == 2
    assert APIKey.objects.count() == 1


@pytest.mark.parametrize("reference", ["id", "uid", "email"])
def test_user_key_belongs_to_the_user_however_named(world: World, run: Run, reference: str) -> None:
    named = {"id": str(world.auditor.pk), "uid": str(world.auditor.uid), "email": "ARI@example.org"}[reference]
    done = run("create_key", "--name", "Ari's", "--user", named)
    assert done.code == 0
    key = APIKey.objects.get()
    assert (key.kind, key.owner, key.permissions) == ("user", world.auditor, None)


def test_networks_and_environment(world: World, run: Run) -> None:
    done = run(
        *("create_key", "--organization", "acme", "--name", "x", "--environment", "test"),
        *("--network", "10.0.0.0/8", "--network", "::1"),
    )
    assert done.out.startswith("ka_test_")
    assert APIKey.objects.get().allowed_networks == ["10.0.0.0/8", "::1/128"]


def test_new_secret_replaces_the_old(world: World, run: Run) -> None:
    old = world.key()
    done = run("regenerate_key", str(old.key.pk), "--expires", "2099-12-31")
    assert done.code == 0
    assert SECRET.fullmatch(done.out)
    assert (status(world, old.secret), status(world, done.out)) == (401, 200)
    # The former token id and the former masked form still lead to the key.
    for reference in (old.key.token_id, old.key.masked):
        assert json.loads(run("show_key", reference, "--json").out)["api_key_id"] == old.key.pk


def test_operator_and_reason_stand_in_the_log(world: World, run: Run) -> None:
    run("create_key", "--organization", "acme", "--name", "x", "--reason", "ticket 4711")
    event = activity.chain_of(world.acme.pk).last()
    assert event is not None
    assert (event.name, event.actor_kind) == ("api_key.created", "operator")
    assert json.loads(event.text)["reason"] == "ticket 4711"
    assert activity.check(world.acme.pk).consistent


def test_api_user_with_groups_and_a_key_of_its_own(world: World, run: Run) -> None:
    done = run("create_api_user", "--organization", "acme", "--name", "Sync", "--group", "readers", "--json")
    user = json.loads(done.out)
    assert (user["kind"], user["organization"]["slug"]) == ("api", "acme")
    made = run("create_key", "--name", "Sync key", "--user", str(user["id"]))
    client = world.client(key=made.out.strip())
    assert client.get("/api/v1/api-keys").status_code == 200
    assert client.post("/api/v1/api-keys", {"name": "x"}, content_type="application/json").status_code == 403
