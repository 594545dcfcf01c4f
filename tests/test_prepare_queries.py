"""A prepared query finds what the query set finds that it was made of, with one query and nothing left to fetch."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership, User
from keyadmin.keys.models import APIKey
from keyadmin.prepared import Prepared
from tests.world import World

RELATED = ("owner", "organization__key_policy")


def test_objects_come_with_those_related_to_them(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = [
        world.key("view_customer", rate_limit="10/minute", allowed_networks=["203.0.113.0/24"]).key,
        world.user_key(world.robot, name="Robot's [bulk]").key,
        world.user_key(world.developer, ["view_customer"]).key,
    ]
    prepared = Prepared(lambda: APIKey.objects.select_related(*RELATED).filter(token_id=""))
    for key in keys:
        with django_assert_num_queries(1):
            found = prepared.first(str(key.token_id))
            assert found is not None
            reached = [found.owner, found.organization, found.organization and found.organization.key_policy]
        wanted = APIKey.objects.select_related(*RELATED).get(pk=key.pk)
        assert vars_of(found) == vars_of(wanted)
        policy = wanted.organization and wanted.organization.key_policy
        assert [*map(vars_of, reached)] == [*map(vars_of, (wanted.owner, wanted.organization, policy))]
    assert prepared.first("nothing") is None


def test_values_come_as_the_database_types_of_their_fields(world: World) -> None:
    names = ("user_id", "user__uid", "organization__created_at", "groups__group__policies__patterns")
    prepared = Prepared(lambda: Membership.objects.filter(user_id=0).values_list(*names))
    for user in User.objects.all():
        wanted = list(Membership.objects.filter(user=user).values_list(*names))
        assert sorted(map(repr, prepared.all(user.pk))) == sorted(map(repr, wanted))
    assert prepared.all(0) == []


def test_a_query_with_two_values_is_refused(world: World) -> None:
    with pytest.raises(AssertionError, match="token_id"):
        Prepared(lambda: APIKey.objects.filter(token_id="", name="")).first("")


def vars_of(found: object) -> dict[str, Any]:
    """The fields of an object."""
    return {name: value for name, value in vars(found).items() if name != "_state"} if found else {}
