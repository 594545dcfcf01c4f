"""What somebody has known, begun or sent does not let them in after they were shut out, or where they never were."""

import dataclasses
import re

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.test import Client

from accounts.mail import wait as wait_for_mail
from accounts.models import Invitation, Organization
from accounts.services.api_users import delete_api_user
from accounts.services.invitations import accept_as, invite
from accounts.services.organizations import add_membership, edit_organization, remove_membership
from accounts.services.people import disable_person, enable_person
from keyadmin.env import Mail
from keyadmin.kernel.errors import ConflictError, NotFoundError
from keyadmin.keys import services
from keyadmin.keys.models import KeyBlock
from tests.api.calls import call, json_of, problem
from tests.pages.signing_in import by_password, code_of, turn_on_app
from tests.world import OPERATOR, PASSWORD, World, confirm, person

SECRET = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg"


def status(world: World, secret: str, organization: Organization) -> int:
    client = world.client(key=secret, headers={"X-Organization": organization.slug})
    return client.get("/api/v1/whoami").status_code


def test_a_secret_that_others_know_does_not_go_along_into_another_organisation(world: World) -> None:
    boss = person("Olga", world.acme, "Administrators")
    services.assign_key(actor=world.actor(boss), owner=world.developer, secret=SECRET)
    made = services.create_key(actor=world.actor(boss), name="For Dev", kind="user", owner=world.developer)
    own = services.create_key(actor=world.actor(world.developer), name="Own", kind="user", owner=world.developer)
    given = world.user_key(world.developer)  # by the operator, who needs no key of theirs to do what it can
    add_membership(actor=OPERATOR, organization=world.globex, user=world.developer)

    secrets = (SECRET, made.secret, own.secret, given.secret)
    assert [status(world, one, world.acme) for one in secrets] == [200, 200, 200, 200]
    assert [status(world, one, world.globex) for one in secrets] == [403, 403, 200, 200]

    again = services.regenerate_key(actor=world.actor(world.developer), key_id=made.key.pk)
    assert status(world, again.secret, world.globex) == 403, "globex has not said that it may"
    services.unblock_key(actor=OPERATOR, key_id=made.key.pk, organization=world.globex)
    assert status(world, again.secret, world.globex) == 200


def test_a_blocked_secret_is_blocked_in_the_next_record_too(world: World) -> None:
    add_membership(actor=OPERATOR, organization=world.globex, user=world.developer)
    key = services.assign_key(actor=OPERATOR, owner=world.developer, secret=SECRET).key
    services.block_key(actor=OPERATOR, key_id=key.pk, organization=world.globex)
    services.revoke_assigned_key(actor=OPERATOR, owner=world.developer)

    assert services.assign_key(actor=OPERATOR, owner=world.developer, secret=SECRET).key.pk != key.pk
    assert (status(world, SECRET, world.globex), status(world, SECRET, world.acme)) == (403, 200)
    assert KeyBlock.objects.filter(organization=world.globex).count() == 2


@pytest.mark.parametrize("how", ["removed", "disabled"])
def test_invitations_of_somebody_who_was_shut_out_are_void(world: World, how: str) -> None:
    boss = person("Olga", world.acme, "Administrators")
    _, token = invite(actor=world.actor(boss), organization=world.acme, email=world.stranger.email or "")
    _, other = invite(actor=OPERATOR, organization=world.acme, email="new@example.org")
    if how == "removed":
        remove_membership(actor=OPERATOR, organization=world.acme, user=boss)
    else:
        disable_person(actor=OPERATOR, user=boss)

    with pytest.raises(NotFoundError):
        accept_as(user=world.stranger, token=token)
    assert Invitation.objects.filter(withdrawn_at=None).get().email == "new@example.org", other


@pytest.mark.parametrize("how", ["password", "disabled"])
def test_a_sign_in_that_was_begun_before_ends_there(world: World, how: str) -> None:
    email = world.developer.email or ""
    secret, _ = turn_on_app(world.client(world.developer))
    begun, first = by_password(email)
    assert first["Location"] == "/sign-in/2fa/"
    if how == "password":
        owner, _ = by_password(email)
        owner.post("/sign-in/2fa/", {"code": code_of(secret)})
        typed = {"oldpassword": PASSWORD, "password1": "a new horse battery", "password2": "a new horse battery"}
        assert owner.post("/me/security/password/", typed).status_code == 302
    else:
        disable_person(actor=OPERATOR, user=world.developer)

    begun.post("/sign-in/2fa/", {"code": code_of(secret, steps=1)})

    if how == "disabled":
        enable_person(actor=OPERATOR, user=world.developer)
    assert "_auth_user_id" not in begun.session
    assert begun.get("/sign-in/").status_code == 200, "and one can begin anew"


def test_a_demanded_second_factor_is_demanded_for_keys_of_ones_own(world: World) -> None:
    client = world.client(world.developer)
    assert client.get("/me/keys/new/").status_code == 200
    edit_organization(actor=OPERATOR, organization=world.acme, changes={"two_factor_required": True})
    for path in ("/me/keys/", "/me/keys/new/"):
        assert client.get(path)["Location"] == "/me/security/"
        assert client.post(path, {"mode": "owner"}).status_code in (302, 303)
    assert client.get("/me/security/").status_code == 200


def test_dangerous_acts_by_rest_ask_a_session_that_is_old_who_it_is(world: World) -> None:
    client = world.client(world.admin, headers={"X-Organization": "acme"})
    key = world.key("view_customer").key
    acts = [
        ("POST", "/api/v1/api-keys", {"name": "x", "permissions": ["*"]}),
        ("POST", f"/api/v1/api-keys/{key.pk}/regenerate", {}),
        ("PUT", f"/api/v1/users/{world.robot.pk}/api-key", {}),
        ("DELETE", f"/api/v1/members/{world.developer.pk}/second-factor", None),
        ("DELETE", f"/api/v1/members/{world.developer.pk}/sessions", None),
    ]
    confirm(client, world.admin, seconds_ago=3600)
    for method, path, body in acts:
        problem(call(client, method, path, body), 403, "reauthentication_required")
    assert call(client, "POST", "/api/v1/api-keys", {"name": "x"}).status_code == 201
    confirm(client, world.admin)
    strong = world.client(key=world.user_key(world.admin).secret, headers={"X-Organization": "acme"})
    for caller in (client, strong):
        assert [call(caller, *act).status_code for act in acts] == [201, 200, 200, 204, 204]


def test_a_link_without_a_name_is_no_link(client: Client, world: World) -> None:
    for key in ("-1", "1-", "-"):
        assert client.get(f"/sign-in/reset/{key}/").status_code == 404


def test_an_api_user_whose_keys_made_keys_is_kept_with_a_word(world: World) -> None:
    own = world.user_key(person("Olga", world.acme, "Administrators"))
    robot = world.user_key(world.robot)
    made = services.create_key(
        actor=dataclasses.replace(OPERATOR, user_id=world.robot.pk), name="Made", organization=world.acme
    )
    services.delete_key(actor=OPERATOR, key_id=robot.key.pk)
    with pytest.raises(ConflictError, match="has made keys that are still there"):
        delete_api_user(actor=OPERATOR, organization=world.acme, user=world.robot)
    services.delete_key(actor=OPERATOR, key_id=made.key.pk)
    delete_api_user(actor=OPERATOR, organization=world.acme, user=world.robot)
    assert own.key.pk


def test_where_mail_is_set_the_link_goes_to_the_address_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    server = Mail("smtp", "localhost", 25, "", "")
    monkeypatch.setattr(settings, "ENV", dataclasses.replace(settings.ENV, mail=server))
    client = world.client(world.admin, headers={"X-Organization": "acme"})

    sent = client.post("/o/acme/settings/members/invite/", {"email": "page@example.org"})
    assert sent.status_code in (200, 302, 303)
    assert "/invitation/" not in sent.content.decode()
    answer = json_of(call(client, "POST", "/api/v1/invitations", {"email": "rest@example.org"}))
    assert answer["link"] is None
    wait_for_mail()
    assert [message.to for message in mailoutbox] == [["page@example.org"], ["rest@example.org"]]
    for message in mailoutbox:
        (link,) = re.findall(r"http://testserver(/invitation/[\w-]{43}/)\n", str(message.body))
        assert Client().get(link).status_code == 200
