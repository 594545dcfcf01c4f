"""Show, list, edit, pause, block, revoke, delete: the key by id, token id or masked form; each act in the log."""

import json

import pytest

from keyadmin.activity import queries as activity
from keyadmin.keys.models import APIKey
from keyadmin.keys.services import Issued
from tests.commands.conftest import Run
from tests.world import World


@pytest.fixture
def issued(world: World) -> Issued:
    return world.key("view_customer", name="Billing sync", description="first line\nsecond line")


def reference(issued: Issued, form: str) -> str:
    return {"id": str(issued.key.pk), "token id": str(issued.key.token_id), "masked": issued.key.masked}[form]


@pytest.mark.parametrize("form", ["id", "token id", "masked"])
def test_life_of_a_key(world: World, run: Run, issued: Issued, form: str) -> None:
    key = reference(issued, form)
    for command, outcome, event in (
        ("pause_key", 401, "api_key.paused"),
        ("resume_key", 200, "api_key.resumed"),
        ("revoke_key", 401, "api_key.revoked"),
        ("delete_key", 401, "api_key.deleted"),
    ):
        done = run(command, key, "--reason", "because")
        assert (done.code, done.err) == (0, "")
        assert issued.key.masked in done.out
        assert world.client(key=issued.secret).get("/api/v1/whoami").status_code == outcome
        last = activity.chain_of(world.acme.pk).last()
        assert last is not None
        assert (last.name, last.actor_kind, json.loads(last.text)["reason"]) == (event, "operator", "because")
    assert not APIKey.objects.exists()
    assert run("show_key", key).err == "keyadmin: There is no such API key.\n"


def test_states_that_forbid_the_act(world: World, run: Run, issued: Issued) -> None:
    key = str(issued.key.pk)
    for command in ("resume_key", "regenerate_key", "edit_key"):
        if command != "resume_key":
            run("revoke_key", key)
        done = run(command, key, *(["--name", "New"] if command == "edit_key" else []))
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("keyadmin: ")
        assert done.err.count("\n") == 1
    again = run("revoke_key", key)
    assert again.code == 0, "revoking a revoked key changes nothing"


def test_edit_changes_what_is_named_alone(world: World, run: Run, issued: Issued) -> None:
    key = str(issued.key.pk)
    assert run("edit_key", key, "--name", "New", "--expires", "2099-12-31").code == 0
    assert run("edit_key", key, "--permission", "view_invoice", "--network", "10.0.0.0/8").code == 0
    assert run("edit_key", key, "--rate-limit", "600/minute").code == 0
    shown = json.loads(run("show_key", key, "--json").out)
    assert shown["name"] == "New"
    assert shown["description"] == "first line\nsecond line"
    assert shown["expiry_date"] == "2099-12-31T23:59:59Z"
    assert shown["permissions"] == ["view_invoice"]
    assert shown["allowed_networks"] == ["10.0.0.0/8"]
    assert shown["rate_limit"] == "600/minute"
    assert run("edit_key", key, "--default-rate-limit").code == 0
    assert run("edit_key", key, "--rate-limit", "often").code == 2
    emptied = run("edit_key", key, "--any-network", "--no-permissions", "--expires", "never", "--description", "")
    assert emptied.code == 0
    shown = json.loads(run("show_key", key, "--json").out)
    assert (shown["allowed_networks"], shown["permissions"], shown["expiry_date"]) == ([], [], None)
    assert shown["rate_limit"] is None


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--admin", "--no-permissions"),
        ("--permission", "view_invoice", "--no-permissions"),
        ("--network", "10.0.0.0/8", "--any-network"),
        ("--name", ""),
        ("--name", "x" * 81),
        ("--network", "10.0.0.1/8"),
    ],
)
def test_edit_that_makes_no_sense(world: World, run: Run, issued: Issued, options: tuple[str, ...]) -> None:
    done = run("edit_key", str(issued.key.pk), *options)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert APIKey.objects.get().version == 1


def test_list_shows_filters_and_sorts(world: World, run: Run, issued: Issued) -> None:
    world.key(name="Alder")
    world.key(name="Elsewhere", organization=world.globex)
    run("revoke_key", str(issued.key.pk))
    assert [line.split()[-1] for line in run("list_keys", "--sort", "name").out.splitlines()] == ["Alder", "Elsewhere"]
    assert [line.split()[-1] for line in run("list_keys", "--organization", "globex").out.splitlines()] == ["Elsewhere"]
    (revoked,) = run("list_keys", "--status", "revoked").out.splitlines()
    assert revoked.split()[:4] == [str(issued.key.pk), issued.key.masked, "revoked", "never"]
    assert "Alder" in run("list_keys", "--search", "alder").out
    nothing = run("list_keys", "--search", "nothing like it")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "No keys.\n")


def test_show_is_for_people(world: World, run: Run, issued: Issued) -> None:
    lines = run("show_key", str(issued.key.pk)).out.splitlines()
    assert "masked key:       " + issued.key.masked in lines
    assert "description:      first line second line" in lines, "one line for each field"
    assert "expiry date:      -" in lines


def test_block_and_unblock_in_one_organisation(world: World, run: Run) -> None:
    key = world.user_key(world.manager)
    pk, client = str(key.key.pk), world.client(key=key.secret)
    assert "--organization: acme, globex" in run("block_key", pk).err
    for command, outcome in (("block_key", 403), ("block_key", 403), ("unblock_key", 200), ("unblock_key", 200)):
        done = run(command, pk, "--organization", "acme", "--reason", "because")
        assert (done.code, done.err) == (0, "")
        assert key.key.masked in done.out
        assert client.get("/api/v1/whoami?organization=acme").status_code == outcome
    names = list(activity.chain_of(world.acme.pk).values_list("name", flat=True))[-2:]
    assert names == ["api_key.blocked", "api_key.unblocked"]
    assert run("block_key", pk, "--organization", "globex").err == "keyadmin: There is no such API key.\n"
    assert run("block_key", str(world.key().key.pk), "--organization", "acme").code == 2
