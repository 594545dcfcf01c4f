"""Facts are remembered, and never served once what they say may have changed."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from accounts.models import Policy
from accounts.services.api_users import disable_api_user
from accounts.services.groups import add_member, edit_group, remove_member
from accounts.services.organizations import suspend_organization
from accounts.services.policies import edit_policy
from keyadmin.freshness.watch import watch
from keyadmin.keys import services
from keyadmin.verify import lookup, memory
from keyadmin.verify.decide import Ask
from keyadmin.verify.services import verify
from tests.api.objects import api_user, group
from tests.verify.asking import settled
from tests.world import OPERATOR, World

ASK = Ask("203.0.113.7", permissions=("view_customer",))


@pytest.fixture(autouse=True)
def fresh(lasting_world: World) -> Iterator[None]:
    watch.cache_clear()
    memory.forget()
    yield
    watch().stop()
    watch.cache_clear()


def allowed(secret: str, ask: Ask = ASK) -> bool:
    return verify(secret, ask).decision.allowed


def test_a_second_look_asks_the_database_nothing(lasting_world: World) -> None:
    secret = lasting_world.key("view_customer").secret
    settled()
    assert allowed(secret)
    with CaptureQueriesContext(connections["default"]) as asked:
        assert allowed(secret)
    assert len(asked) == 0


def test_a_wrong_secret_is_not_remembered(lasting_world: World) -> None:
    secret = lasting_world.key("view_customer").secret
    for text in (secret[:-1] + ("0" if secret[-1] != "0" else "1"), "ka_live_nothing", "x" * 40):
        assert not allowed(text)
    assert not memory._known


def test_a_former_secret_is_told_by_its_own_token_id(lasting_world: World) -> None:
    issued = lasting_world.key("view_customer")
    former = issued.key.token_id
    services.regenerate_key(actor=OPERATOR, key_id=issued.key.pk)
    settled()
    facts = verify(issued.secret, ASK).facts
    assert facts is not None
    assert (facts.key_id, facts.token_id) == (issued.key.pk, former)


def taken_away(world: World, way: str) -> tuple[str, Callable[[], Any]]:
    """A secret that works, and the act that takes that away."""
    if way.endswith("_key"):
        issued = world.key("view_customer")
        return issued.secret, partial(getattr(services, way), actor=OPERATOR, key_id=issued.key.pk)
    if way in EDITS:
        issued = world.key("view_customer")
        return issued.secret, partial(services.edit_key, actor=OPERATOR, key_id=issued.key.pk, changes=EDITS[way])
    given, user = group(world.acme, "view_customer"), api_user(world.acme)
    add_member(actor=OPERATOR, group=given, user=user)
    acts: dict[str, Callable[[], Any]] = {
        "policy": partial(
            edit_policy, actor=OPERATOR, policy=Policy.objects.get(groups=given), changes={"patterns": ["view_service"]}
        ),
        "group": partial(edit_group, actor=OPERATOR, group=given, changes={"policies": []}),
        "member": partial(remove_member, actor=OPERATOR, group=given, user=user),
        "owner": partial(disable_api_user, actor=OPERATOR, organization=world.acme, user=user),
        "organization": partial(suspend_organization, actor=OPERATOR, organization=world.acme),
    }
    return world.user_key(user).secret, acts[way]


EDITS: dict[str, services.KeyChanges] = {
    "permissions": {"permissions": []},
    "networks": {"allowed_networks": ["198.51.100.0/24"]},
}
WAYS = (
    *("revoke_key", "pause_key", "regenerate_key", "delete_key", *EDITS),
    *("policy", "group", "member", "owner", "organization"),
)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_taken_away_is_gone_at_once(lasting_world: World, way: str) -> None:
    secret, act = taken_away(lasting_world, way)
    settled()
    assert allowed(secret)
    act()
    settled()
    assert not allowed(secret)


def test_facts_that_come_late_are_not_served(lasting_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread reads the facts; before it has kept them, another takes the right away."""
    issued = lasting_world.key("view_customer")
    settled()
    read, go_on = threading.Event(), threading.Event()
    find = lookup.find

    def slowly(*given: Any) -> Any:
        facts = find(*given)
        read.set()
        go_on.wait(10)
        return facts

    monkeypatch.setattr(lookup, "find", slowly)
    late: list[bool] = []

    def ask() -> None:
        late.append(allowed(issued.secret))
        connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    assert read.wait(10)
    monkeypatch.setattr(lookup, "find", find)
    services.revoke_key(actor=OPERATOR, key_id=issued.key.pk)
    settled()
    go_on.set()
    thread.join()

    assert late == [True]  # it was sent before
    assert memory._known, "the late facts are there"
    assert not allowed(issued.secret)
