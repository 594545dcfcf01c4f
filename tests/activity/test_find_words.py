"""Each event has words of its own, stands under a heading of the filter, and its fields read as people speak."""

import pytest

from keyadmin.activity import words
from keyadmin.activity.events import EventName
from keyadmin.activity.tables import Change, changes_of


@pytest.mark.parametrize("name", EventName)
def test_each_event_has_words_and_one_heading(name: EventName) -> None:
    assert name in words.ACTIONS
    assert words.action(name)[0].isupper()
    assert not set(words.action_on(name)) & set("_.{}|")
    assert words.action(name).split()[-1] not in ("of", "for"), "it stands alone"
    assert len([group for group in words.GROUPS if name in words.names_in(group)]) == 1


def test_no_two_events_are_called_the_same() -> None:
    assert len(set(words.ACTIONS.values())) == len(EventName)


def test_words_name_who_was_added() -> None:
    assert words.action("group.member_added", {"member": "Kim"}) == "Added Kim to group"
    assert words.action("group.member_added") == "Added a member to group"
    assert words.action_on("person.passkey_added") == "Added a passkey of"
    assert words.action("person.passkey_added") == "Added a passkey"
    assert words.action_on("thing.of_a_later_version") == "thing.of_a_later_version"
    assert words.action("thing.of_a_later_version") == "thing.of_a_later_version"


def change(before: dict[str, object] | None, after: dict[str, object] | None) -> Change:
    (found,) = changes_of(before, after)
    return found


def test_permissions_are_compared_as_sets() -> None:
    found = change({"permissions": ["a", "b", "c"]}, {"permissions": ["b", "c", "d"]})
    assert found == Change("Permissions", "Changed", ("a",), ("d",), 2)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, {"name": "Sync"}, ("Name", "Added", (), ("Sync",))),
        ({"name": "Sync"}, None, ("Name", "Removed", ("Sync",), ())),
        ({"name": "A"}, {"name": "B"}, ("Name", "Changed", ("A",), ("B",))),
        (
            {"expiry_date": "2027-01-31T23:59:59Z"},
            {"expiry_date": None},
            ("Expiry date", "Changed", ("31 Jan 2027, 23:59:59 UTC",), ("Never",)),
        ),
        (
            {"allowed_networks": []},
            {"allowed_networks": ["10.0.0.0/8"]},
            ("Allowed networks", "Changed", ("From anywhere",), ("10.0.0.0/8",)),
        ),
        ({"permissions": ["a"]}, {"permissions": ["a", "b"]}, ("Permissions", "Added", (), ("b",))),
        (None, {"kind": "organization"}, ("Kind", "Added", (), ("Organisation key",))),
        (None, {"is_instance_admin": True}, ("Instance administrator", "Added", (), ("Yes",))),
    ],
)
def test_fields_and_values_are_words(
    before: dict[str, object] | None, after: dict[str, object] | None, expected: tuple[object, ...]
) -> None:
    found = change(before, after)
    assert (found.field, found.act, found.before, found.after) == expected


def test_what_holds_nothing_is_no_change() -> None:
    assert changes_of(None, {"description": "", "owner": None}) == []
    assert changes_of(None, None) == []
