"""The column by which a user's entries are found repeats the text, also in logs that are older than the column."""

from importlib import import_module

import pytest
from django.apps import apps

from accounts import queries as accounts
from accounts.services.groups import add_member, remove_member
from keyadmin.activity import queries
from keyadmin.activity.models import Event
from tests.world import OPERATOR, World

migration = import_module("keyadmin.activity.migrations.0003_find_members")


@pytest.mark.django_db
def test_entries_of_an_older_log_are_found_after_the_migration(world: World) -> None:
    group = accounts.group_named(world.acme, "Auditors")
    add_member(actor=OPERATOR, group=group, user=world.robot)
    remove_member(actor=OPERATOR, group=group, user=world.robot)
    found = queries.about_user(world.robot.pk, world.acme.pk, 9)
    assert [event.name for event in found][:2] == ["group.member_removed", "group.member_added"]

    Event.objects.update(member_id=None)
    assert not queries.check(world.acme.pk).consistent
    migration.repeat_from_text(apps, None)

    assert queries.check(world.acme.pk).consistent
    assert queries.about_user(world.robot.pk, world.acme.pk, 9) == found
