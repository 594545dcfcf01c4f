"""The rate limit in the forms of a key."""

from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.pages.reading import Page
from tests.world import OPERATOR, World

NEW = "/o/acme/keys/new/"


def typed(**fields: str) -> dict[str, str]:
    return {"nonce": "n" * 32, "name": "Sync", "kind": "organization", "expiry": "never", "mode": "read_only"} | {
        "environment": "live",
        **fields,
    }


def test_a_new_key_has_what_was_typed(world: World) -> None:
    answer = world.client(world.admin).post(NEW, typed(rate_limit=" 600/Minute "))
    assert answer.status_code == 200
    assert APIKey.objects.get(name="Sync").rate_limit == "600/minute"


def test_nonsense_is_said_beside_the_field(world: World) -> None:
    answer = world.client(world.admin).post(NEW, typed(rate_limit="often"))
    assert answer.status_code == 422
    assert "such as 600/minute: second, minute, hour or day." in Page(answer).text
    assert not APIKey.objects.exists()


def test_an_edit_changes_it_and_takes_it_away(world: World) -> None:
    key, client = world.key("view_customer", rate_limit="5/second").key, world.client(world.admin)
    edit = f"/o/acme/keys/{key.pk}/edit/"
    assert 'value="5/second"' in client.get(edit).content.decode()
    fields = typed(mode="custom", permissions="view_customer", reason="")
    assert client.post(edit, {**fields, "rate_limit": "1/day", "version": "1"}).status_code == 303
    assert APIKey.objects.get().rate_limit == "1/day"
    assert client.post(edit, {**fields, "rate_limit": "", "version": "2"}).status_code == 303
    assert APIKey.objects.get().rate_limit is None


def test_who_lacks_what_the_key_gives_is_told_why_it_stays(world: World) -> None:
    key = world.key("view_customer", rate_limit="5/second").key
    fields = typed(name=key.name, mode="custom", permissions="view_customer", rate_limit="6/second", version="1")
    answer = world.client(world.manager).post(f"/o/acme/keys/{key.pk}/edit/", fields)
    assert answer.status_code == 422
    assert "You can't let this key work more often" in Page(answer).text
    services.edit_key(actor=OPERATOR, key_id=key.pk, changes={"rate_limit": "6/second"})
