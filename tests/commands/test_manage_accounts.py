"""`groups`, `policies`, `members` and `load_permissions`: thin faces, so that what they say is what REST says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from accounts.access import held_by
from accounts.models import Group, Membership, Permission, Policy, User
from accounts.services.groups import create_group
from accounts.services.invitations import opened
from accounts.services.policies import create_policy
from keyadmin.activity import queries as activity
from tests.commands.conftest import Done, Run
from tests.world import OPERATOR, World

ACME = ("--organization", "acme")


def printed(done: Done) -> Any:
    assert (done.code, done.err) == (0, ""), done
    return json.loads(done.out)


def refused(done: Done, code: int) -> str:
    """The one line on standard error."""
    assert (done.code, done.out) == (code, "")
    assert re.fullmatch(r"[^\n]+\n", done.err), done.err
    return done.err


@pytest.mark.parametrize(("command", "path"), [("groups", "groups"), ("policies", "policies"), ("members", "members")])
def test_json_of_a_list_is_that_of_rest(world: World, run: Run, command: str, path: str) -> None:
    rest = world.client(world.admin).get(f"/api/v1/{path}?organization=acme").json()
    assert printed(run(command, "list", *ACME, "--json")) == rest["items"]


def test_options_for_all_acts_stand_before_or_after_the_act(world: World, run: Run) -> None:
    after = run("groups", "list", *ACME, "--json").out
    assert run("groups", "--json", "list", *ACME).out == after
    for arguments in (["--reason", "before", "create", "A", *ACME], ["create", "B", *ACME, "--reason", "after"]):
        assert run("groups", *arguments).code == 0
    texts = list(activity.chain_of(world.acme.pk).values_list("text", flat=True))[-2:]
    assert [json.loads(text)["reason"] for text in texts] == ["before", "after"]


def test_people_get_aligned_columns(world: World, run: Run) -> None:
    lines = run("members", "list", *ACME).out.splitlines()
    assert [line.split()[2] for line in lines] == ["Ari", "Dana", "Dev", "Kim", "Robot"]
    assert len({line.index(line.split()[2]) for line in lines}) == 1
    assert len({line.index("yes") for line in lines}) == 1


def test_a_group_is_made_changed_filled_and_deleted(world: World, run: Run) -> None:
    made = printed(run("groups", "create", "Night", "--policy", "readers", "--policy", "Developers", *ACME, "--json"))
    assert [policy["name"] for policy in made["policies"]] == ["Developers", "Readers"]
    for reference in (str(world.manager.pk), str(world.manager.uid), "KIM@example.org"):
        shown = printed(run("groups", "add", "night", reference, *ACME, "--json"))
        assert [member["name"] for member in shown["members"]] == ["Kim"]
    assert held_by(world.manager).rights_in(world.acme.pk).allows("apikey.own")
    edited = printed(run("groups", "edit", "night", "--name", "Day", "--policy", "Readers", *ACME, "--json"))
    assert (edited["name"], [policy["name"] for policy in edited["policies"]]) == ("Day", ["Readers"])
    assert printed(run("groups", "edit", "Day", "--no-policies", *ACME, "--json"))["policies"] == []
    assert printed(run("groups", "remove", "Day", "kim@example.org", *ACME, "--json"))["member_count"] == 0
    assert printed(run("groups", "delete", "Day", *ACME, "--json")) == {"deleted": "Day"}
    assert not Group.objects.filter(pk=made["id"]).exists()


def test_a_policy_is_made_changed_and_deleted(world: World, run: Run) -> None:
    made = printed(
        run("policies", "create", "Billing", "--pattern", "view_invoice", "--pattern", "apikey.*", *ACME, "--json")
    )
    assert made["patterns"] == ["apikey.*", "view_invoice"]
    edited = printed(run("policies", "edit", "billing", "--pattern", "view_invoice", *ACME, "--json"))
    assert (edited["patterns"], edited["version"]) == (["view_invoice"], 2)
    assert printed(run("policies", "show", "BILLING", *ACME, "--json")) == {**edited, "groups": []}
    assert printed(run("policies", "delete", "Billing", *ACME, "--json")) == {"deleted": "Billing"}
    assert not Policy.objects.filter(pk=made["id"]).exists()


def test_a_link_stands_alone_on_standard_output(world: World, run: Run) -> None:
    done = run("members", "invite", "new@example.org", "--group", "Readers", *ACME)
    link = re.fullmatch(r"http://[^/]+/invitation/([\w-]{43})/\n", done.out)
    assert link
    invitation = opened(link.group(1))
    assert (invitation.email, [group.name for group in invitation.groups.all()]) == ("new@example.org", ["Readers"])
    assert link.group(1) not in done.err


def test_people_and_api_users_are_disabled_enabled_and_removed(world: World, run: Run) -> None:
    key = world.user_key(world.robot).secret
    for user in (world.manager, world.robot):
        assert printed(run("members", "disable", str(user.pk), "--json"))["active"] is False
    assert world.client(key=key).get("/api/v1/whoami").status_code == 401
    for user in (world.manager, world.robot):
        assert printed(run("members", "enable", str(user.uid), "--json"))["active"] is True
    assert world.client(key=key).get("/api/v1/whoami").status_code == 200
    assert printed(run("members", "remove", "kim@example.org", *ACME, "--json")) == {
        "removed": "Kim",
        "organization": "acme",
    }
    assert not Membership.objects.filter(user=world.manager).exists()
    assert "disable or delete it" in refused(run("members", "remove", str(world.robot.pk), *ACME), 1)
    assert "only enabled administrator" in refused(run("members", "disable", "dana@example.org"), 1)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("groups", 2, "ACT"),
        ("groups list", 2, "--organization: acme, globex"),
        ("groups list --organization acne", 1, "there are: acme, globex"),
        ("groups show Nobodys --organization acme", 1, "Auditors, Developers"),
        ("groups create readers --organization acme", 1, "exists already"),
        ("groups create x --policy Nope --organization acme", 1, "no policy of this name; there are Administrators"),
        ("groups create x\x1b[2J --organization acme", 2, "name: "),
        ("groups edit Readers --organization acme", 2, "Say what to change"),
        ("groups edit Readers --policy Readers --no-policies --organization acme", 2, "not allowed with"),
        ("groups add Readers sam@example.org --organization acme", 1, "no such user"),
        ("groups add Readers 99999999999999999999 --organization acme", 1, "no such user"),
        ("policies create x --organization acme", 2, "--pattern"),
        ("policies create x --pattern view_custmer --organization acme", 2, "Did you mean view_customer"),
        ("policies create x --pattern org.create --organization acme", 2, "whole instance"),
        ("policies edit Readers --organization acme", 2, "Say what to change"),
        ("policies delete Readers --organization acme", 1, "Groups have this policy: Readers"),
        ("members invite nonsense --organization acme", 2, "email: "),
        ("members invite kim@example.org --organization acme", 1, "is in Acme already"),
        ("members remove sam@example.org --organization acme", 1, "no such user"),
        ("members disable nobody@example.org", 1, "no such user"),
        ("load_permissions nope", 1, "crm, limacharlie"),
        ("load_permissions ./nope.toml", 2, "nope.toml"),
        ("load_permissions /", 2, "directory"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(world: World, run: Run, arguments: str, code: int, said: str) -> None:
    before = activity.chain_of(world.acme.pk).count()
    assert said in refused(run(*arguments.split(" ")), code)
    assert activity.chain_of(world.acme.pk).count() == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("create_key --organization acme --name x --permission view_invoices", 2, "Did you mean view_invoice"),
        ("create_key --organization acme --name x --permission setting.ctrl", 2, "whole instance"),
        ("create_key --organization acme --name x --user nobody@example.org", 1, "no such user"),
        ("groups create x --policy Foreign --organization acme", 1, "no policy of this name"),
        ("groups add Readers sam@example.org --organization acme", 1, "no such user"),
        ("policies create x --pattern setting.* --organization acme", 2, "setting.*"),
        ("members invite x@example.org --group Foreign --organization acme", 1, "no group of this name"),
        ("create_api_user --organization acme --name x --group Foreign", 1, "no group of this name"),
    ],
)
def test_the_operator_gives_what_there_is_and_nothing_else(
    world: World, run: Run, arguments: str, code: int, said: str
) -> None:
    """Commands act with all rights, so they refuse no giver. They refuse what can't be given by anybody: permissions
    that do not exist, those of the instance, and groups, policies and users of another organisation.
    """
    foreign = create_policy(actor=OPERATOR, organization=world.globex, name="Foreign", patterns=["view_invoice"])
    create_group(actor=OPERATOR, organization=world.globex, name="Foreign", policies=[foreign])
    before = activity.chain_of(world.acme.pk).count()
    assert said in refused(run(*arguments.split(" ")), code)
    assert activity.chain_of(world.acme.pk).count() == before
    given = run("groups", "create", "Strong", "--policy", "Administrators", *ACME)
    assert given.code == 0, "what there is, the operator gives, whatever it holds"


def test_a_whole_key_comes_back_from_no_argument(world: World, run: Run) -> None:
    secret = world.key().secret
    for arguments in (
        ["groups", "show", secret, *ACME],
        ["groups", "create", secret, *ACME],
        ["groups", "add", "Readers", secret, *ACME],
        ["policies", "create", "x", "--pattern", secret, *ACME],
        ["members", "invite", secret, *ACME],
        ["members", "disable", secret],
        ["load_permissions", secret],
        ["load_permissions", f"./{secret}"],
        ["groups", secret],
    ):
        done = run(*arguments)
        assert done.code in (1, 2)
        assert secret[20:52] not in done.out + done.err, arguments


def test_packs_and_files_bring_the_catalogue_up_to_date(world: World, run: Run, tmp_path: Path) -> None:
    assert printed(run("load_permissions", "civicrm", "--json"))["changed"] > 0
    assert printed(run("load_permissions", "civicrm", "--json")) == {"source": "civicrm", "changed": 0}
    file = tmp_path / "own.toml"
    file.write_text('[[permission]]\nname = "cake.view"\nlabel = "See cakes"\nresource = "Cakes"\naction = "view"\n')
    assert printed(run("load_permissions", str(file), "--json"))["changed"] == 1
    row = Permission.objects.get(name="cake.view")
    assert (row.pack, row.resource, row.action) == ("custom", "Cakes", "view")
    create_policy(actor=OPERATOR, organization=world.acme, name="Cakes", patterns=["cake.*"])
    for text, said in (
        ('[[permission]]\nname = "apikey.view"\nlabel = "Mine"\n', "comes with keyadmin"),
        ('[[permission]]\nname = "Cake"\nlabel = "x"\n', "Lower-case"),
        ('[[permission]]\nname = "x"\nlabel = "x"\npack = "builtin"\n', "no field pack"),
        ("nonsense", "own.toml"),
        ("", "no [[permission]]"),
    ):
        file.write_text(text)
        assert said in refused(run("load_permissions", str(file)), 2)


def test_create_api_user_prints_what_rest_shows(world: World, run: Run) -> None:
    made = printed(run("create_api_user", *ACME, "--name", "Sync", "--group", "readers", "--json"))
    assert made == world.client(world.admin).get(f"/api/v1/api-users/{made['id']}?organization=acme").json()
    assert User.objects.get(pk=made["id"]).name == "Sync"
