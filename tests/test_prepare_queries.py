"""A prepared query finds what the query set finds that it was made of, with one query."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership, User
from keyadmin.keys.models import APIKey
from keyadmin.keys.services import regenerate_key
from keyadmin.prepared import Prepared
from tests.world import OPERATOR, World


def test_whole_objects_come_as_they_are_stored(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    keys = [
        world.key("view_customer", rate_limit="10/minute", allowed_networks=["203.0.113.0/24"]).key,
        world.user_key(world.robot, name="Robot's [bulk]").key,
        world.user_key(world.developer, ["view_customer"]).key,
    ]
    prepared = Prepared(lambda: APIKey.objects.filter(token_id=""))
    for key in keys:
        with django_assert_num_queries(1):
            found = prepared.first(str(key.token_id))
            assert found is not None
            fields = fields_of(found)
        assert fields == fields_of(APIKey.objects.get(pk=key.pk))
        assert found.owner == key.owner
    assert prepared.first("nothing") is None


def test_of_a_few_fields_each_has_its_own_value(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = world.key("view_customer", name="Short").key
    prepared = Prepared(lambda: APIKey.objects.filter(token_id="").only("revoked_at", "name", "token_id"))
    with django_assert_num_queries(1):
        found = prepared.first(str(key.token_id))
        assert found is not None
        assert (found.pk, found.name, found.token_id, found.revoked_at) == (key.pk, "Short", key.token_id, None)
    with django_assert_num_queries(1):
        assert found.environment == key.environment  # what was left out is asked for


def test_they_can_be_found_by_what_belongs_to_them(world: World) -> None:
    key = world.key("view_customer").key
    former = str(key.token_id)
    regenerate_key(actor=OPERATOR, key_id=key.pk)
    prepared = Prepared(lambda: APIKey.objects.filter(former_token_ids__token_id=""))
    assert [found.pk for found in prepared.all(former)] == [key.pk]


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


def fields_of(found: APIKey) -> dict[str, Any]:
    return {field.attname: getattr(found, field.attname) for field in APIKey._meta.concrete_fields}
