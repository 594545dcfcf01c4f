"""The one key that is assigned to a user: entered or generated, each time in place of the last, at once."""

import dataclasses
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services.organizations import add_membership, edit_key_policy
from keyadmin.kernel import clock
from keyadmin.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from keyadmin.kernel.hashing import pbkdf2_sha256
from keyadmin.keys import queries, services
from keyadmin.keys.models import APIKey, FormerTokenId
from keyadmin.keys.status import Status
from tests.api.calls import event_names, events
from tests.keys.test_race import at_once
from tests.world import OPERATOR, World, person

STRONG, OTHER = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "0c9e2d71-5b3a-4f86-9d14-e7a8b6c5f203"
WEAK = "correct-horse-battery-staple-2024"


def demand(world: World, **changes: Any) -> None:
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes=changes)  # type: ignore[arg-type]


def enter(owner: User, secret: str = STRONG, **fields: Any) -> APIKey:
    return services.assign_key(**{"actor": OPERATOR, "owner": owner, "secret": secret, **fields}).key


def answer(world: World, secret: str) -> int:
    return world.client(key=secret).get("/api/v1/api-keys").status_code


def test_a_given_secret_works_until_it_is_replaced_or_revoked(world: World) -> None:
    key = enter(world.robot)
    assert answer(world, STRONG) == 200
    assert (key.masked, key.name, key.permissions) == ("...f1Jg", "Robot (assigned)", None)

    assert enter(world.robot, OTHER).pk == key.pk
    assert (answer(world, STRONG), answer(world, OTHER)) == (401, 200)

    issued = services.assign_key(actor=OPERATOR, owner=world.robot)
    assert issued.key.pk == key.pk
    assert (answer(world, OTHER), answer(world, issued.secret)) == (401, 200)

    enter(world.robot, WEAK)
    assert (answer(world, issued.secret), answer(world, WEAK)) == (401, 200)
    services.revoke_assigned_key(actor=OPERATOR, owner=world.robot)
    assert answer(world, WEAK) == 401
    assert event_names(world, api_key=key.pk) == ["api_key.assigned"] * 4 + ["api_key.revoked"]
    key.refresh_from_db()
    assert [one.token_id is None for one in queries.lineage(key)] == [True, False, True, True]


def test_only_its_verifier_and_a_bucket_are_stored(world: World) -> None:
    for secret, scheme in ((STRONG, "$hmac-sha256$"), (WEAK, "$pbkdf2-hmac-sha256$")):
        row = APIKey.objects.filter(pk=enter(world.robot, secret).pk).values().get()
        assert row["verifier"].startswith(scheme)
        assert all(secret not in str(value) for value in row.values())
    assert row["tail"] == row["prefix"] == ""
    assert all(secret not in str(entry) for entry in events(world) for secret in (STRONG, WEAK))


def test_other_keys_of_the_user_stay(world: World) -> None:
    made = world.user_key(world.robot)
    enter(world.robot)
    services.revoke_assigned_key(actor=OPERATOR, owner=world.robot)
    assert answer(world, made.secret) == 200
    assert enter(world.robot, OTHER).pk != made.key.pk
    assert APIKey.objects.filter(assigned=True).count() == 2, "a revoked one stays revoked"


def test_the_same_secret_again_changes_nothing(world: World) -> None:
    for secret in (STRONG, WEAK):
        key = enter(world.robot, secret)
        again = enter(world.robot, secret)
        assert (again.pk, again.version, again.verifier) == (key.pk, key.version, key.verifier)
    assert event_names(world, api_key=key.pk) == ["api_key.assigned"] * 2


def test_a_secret_that_is_in_use_anywhere_is_refused_without_saying_where(world: World) -> None:
    for secret in (STRONG, WEAK):
        enter(world.stranger, secret)
        with pytest.raises(ConflictError) as refused:
            enter(world.robot, secret)
        assert refused.value.kind.code == "secret_in_use"
        assert "Sam" not in str(refused.value.detail)
    services.revoke_assigned_key(actor=OPERATOR, owner=world.stranger)
    enter(world.robot, WEAK)


def test_of_two_who_enter_one_secret_at_once_one_wins(lasting_world: World) -> None:
    world = lasting_world
    users = [world.robot, world.auditor, world.developer, world.stranger]
    for secret in (STRONG, WEAK):
        results = at_once([partial(enter, user, secret) for user in users])
        assert results == {"done": 1, "secret_in_use": len(users) - 1}


def test_of_two_assigned_at_once_to_one_user_the_last_stays(lasting_world: World) -> None:
    world = lasting_world
    assert at_once([partial(enter, world.robot, f"{STRONG}{n}") for n in range(4)]) == {"done": 4}
    (key,) = APIKey.objects.filter(owner=world.robot)
    assert key.version == 4
    assert [answer(world, f"{STRONG}{n}") for n in range(4)].count(200) == 1


def test_a_paused_key_stays_paused_and_an_expired_one_lives_again(world: World) -> None:
    key = enter(world.robot)
    services.pause_key(actor=OPERATOR, key_id=key.pk)
    assert enter(world.robot, OTHER).status is Status.PAUSED
    assert world.client(key=OTHER).get("/api/v1/whoami").json()["code"] == "key_paused"
    services.resume_key(actor=OPERATOR, key_id=key.pk)

    APIKey.objects.filter(pk=key.pk).update(
        created_at=clock.now() - timedelta(days=9), expires_at=clock.now() - timedelta(days=1)
    )
    services.stamp_expired()
    assert world.client(key=OTHER).get("/api/v1/whoami").json()["code"] == "key_expired"
    enter(world.robot, OTHER)
    assert answer(world, OTHER) == 200


def test_it_needs_all_rights_of_the_user(world: World) -> None:
    manager = world.actor(world.manager)
    enter(world.robot, actor=manager)
    with pytest.raises(DeniedError):
        enter(world.admin, OTHER, actor=world.actor(person("Olga", world.acme, "Administrators")))
    with pytest.raises(DeniedError) as denied:
        enter(world.robot, OTHER, actor=world.actor(world.auditor))
    assert denied.value.permission == "apikey.ctrl"
    with pytest.raises(DeniedError):
        enter(world.robot, OTHER, actor=world.actor(world.developer))
    with pytest.raises(NotFoundError):
        enter(world.robot, OTHER, actor=world.actor(world.stranger))
    with pytest.raises(DeniedError):
        services.revoke_assigned_key(actor=world.actor(world.auditor), owner=world.robot)
    enter(world.developer, OTHER, actor=world.actor(world.developer))
    assert answer(world, STRONG) == answer(world, OTHER) == 200


def test_taking_it_away_needs_no_more_than_managing_keys(world: World) -> None:
    owner = person("Olga", world.acme, "Administrators")
    enter(owner)
    manager = world.actor(world.manager)
    with pytest.raises(DeniedError):
        enter(owner, OTHER, actor=manager)
    services.revoke_assigned_key(actor=manager, owner=owner)
    assert answer(world, STRONG) == 401


def test_the_key_policy_binds(world: World) -> None:
    short = "mX2vQ9rT7kLb4Zs8Wd3H"
    with pytest.raises(InvalidError, match="At least 32"):
        enter(world.robot, short)
    demand(world, shortest_imported_secret=16)
    enter(world.robot, short)
    demand(world, reason_required=True)
    with pytest.raises(InvalidError, match="reason"):
        enter(world.robot)
    saying_why = dataclasses.replace(OPERATOR, reason="moved over")
    demand(world, reason_required=False, api_users_only=True)
    with pytest.raises(InvalidError, match="API users only"):
        enter(world.developer)
    demand(world, api_users_only=False, longest_life_days=30)
    with pytest.raises(InvalidError, match="30 days"):
        enter(world.developer, actor=saying_why)
    demand(world, default_life_days=7)
    assert (enter(world.developer).expires_at or clock.now()) > clock.now() + timedelta(days=6)


def test_the_strictest_policy_of_a_persons_organisations_binds(world: World) -> None:
    demand(world, shortest_imported_secret=16)
    add_membership(actor=OPERATOR, organization=world.globex, user=world.developer)
    with pytest.raises(InvalidError, match="At least 32"):
        enter(world.developer, "mX2vQ9rT7kLb4Zs8Wd3H")


def test_one_key_for_each_user_counts_the_assigned_one(world: World) -> None:
    demand(world, one_key_per_user=True)
    made = world.user_key(world.robot)
    with pytest.raises(ConflictError) as refused:
        enter(world.robot)
    assert refused.value.kind.code == "one_key_per_user"
    services.revoke_key(actor=OPERATOR, key_id=made.key.pk)
    enter(world.robot)
    enter(world.robot, OTHER)
    with pytest.raises(ConflictError):
        world.user_key(world.robot)


def test_regenerating_makes_a_given_secret_one_of_ours(world: World) -> None:
    key = enter(world.robot)
    issued = services.regenerate_key(actor=OPERATOR, key_id=key.pk)
    assert (answer(world, STRONG), answer(world, issued.secret)) == (401, 200)
    assert (issued.key.pk, issued.key.bucket) == (key.pk, None)
    assert FormerTokenId.objects.get().token_id is None
    enter(world.auditor, STRONG)


def test_a_wrong_secret_answers_like_any_other_and_reaches_no_slow_hash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(world.robot, WEAK)
    wrong = [f"{WEAK}x", WEAK.swapcase(), "nonsense", f"{world.key().secret}x"]
    slow: list[str] = []

    def hash_slowly(self: object, secret: str) -> bytes:
        slow.append(secret)
        return b""

    monkeypatch.setattr(pbkdf2_sha256, "_calc_checksum", hash_slowly)
    bodies = set()
    for secret in wrong:
        response = world.client(key=secret).get("/api/v1/whoami")
        assert response.status_code == 401
        bodies.add(response.content.replace(response["X-Request-Id"].encode(), b""))
    assert (len(bodies), slow) == (1, [])
    assert answer(world, WEAK) == 401
    assert slow == [WEAK], "the right one does"


def test_what_cannot_be_a_given_secret_costs_no_look_up(world: World) -> None:
    ours = world.key().secret
    for secret in ("too short", "a space is in here somewhere", ours[:-1] + ("0" if ours[-1] != "0" else "1")):
        with CaptureQueriesContext(connection) as made:
            assert world.client(key=secret).get("/api/v1/whoami").status_code == 401
        assert not [query for query in made if "keys_apikey" in query["sql"]], secret


@pytest.mark.parametrize(
    "broken", [{"token_id": "0" * 12}, {"bucket": None}, {"kind": "organization", "owner": None, "permissions": []}]
)
def test_a_key_is_found_by_one_thing_and_assigned_to_a_user(world: World, broken: dict[str, Any]) -> None:
    key = enter(world.robot)
    with pytest.raises(IntegrityError), transaction.atomic():
        APIKey.objects.filter(pk=key.pk).update(**broken)


def test_one_user_has_one_assigned_key_that_is_not_revoked(world: World) -> None:
    enter(world.robot)
    made = world.user_key(world.robot).key
    with pytest.raises(IntegrityError), transaction.atomic():
        APIKey.objects.filter(pk=made.pk).update(assigned=True)


def test_no_record_is_lost_on_the_way_back_to_the_tables_before(lasting_world: World) -> None:
    enter(lasting_world.robot)
    made = lasting_world.user_key(lasting_world.robot)
    enter(lasting_world.robot, OTHER)
    try:
        MigrationExecutor(connection).migrate([("keys", "0002_apikey_secret_confirmed_at")])
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert (APIKey.objects.count(), FormerTokenId.objects.count()) == (2, 1)
    assert (answer(lasting_world, made.secret), answer(lasting_world, OTHER)) == (200, 401)
