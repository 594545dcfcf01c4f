"""While the site key is demanded, every example of a call has its header, and none otherwise."""

from keyadmin.sitekey import services
from tests.pages.managing import KEYS, NEW, fields, nonce_of, version_of
from tests.world import OPERATOR, World, confirm

HEADER = '-H "X-SITE-KEY: &lt;YOUR_SITE_KEY&gt;"'


def examples(world: World) -> dict[str, str]:
    """The pages with an example: before there is a key, when one is made, of a key, and when it is made anew."""
    admin = world.client(world.admin)
    confirm(admin, world.admin, seconds_ago=0)
    found = {"overview": admin.get("/o/acme/")}
    found["created"] = admin.post(NEW, fields(nonce=nonce_of(admin)))
    pk = world.key(name="Other").key.pk
    found["page"] = admin.get(f"{KEYS}{pk}/")
    again = f"{KEYS}{pk}/regenerate/"
    found["regenerated"] = admin.post(
        again, {"nonce": nonce_of(admin, again), "version": version_of(admin, again), "reason": ""}
    )
    assert {name: answer.status_code for name, answer in found.items()} == dict.fromkeys(found, 200)
    return {name: answer.content.decode() for name, answer in found.items()}


def test_every_example_has_the_header_while_it_is_demanded(world: World) -> None:
    services.replace_site_key(actor=OPERATOR)
    services.set_demand(actor=OPERATOR, demanded=True)
    texts = examples(world)
    assert {name: text.count(HEADER) for name, text in texts.items()} == dict.fromkeys(texts, 1)


def test_none_has_it_otherwise(world: World) -> None:
    services.replace_site_key(actor=OPERATOR)
    assert not [name for name, text in examples(world).items() if "X-SITE-KEY" in text]
