"""R22 in a browser: two people in two organisations, each walking through all that is there for them."""

from playwright.sync_api import Page, expect

from tests.e2e.office import Office
from tests.pages.test_two_organisations_never_meet import furnish
from tests.world import person

LISTS = ("keys", "api-users", "groups", "policies", "settings/members")


def links(page: Page, within: str, about: str = "") -> list[str]:
    """Where the links inside of an element lead to, each once; `about`: those with this word."""
    found = page.locator(f"{within} a[href^='/o/']", has_text=about)
    return list(dict.fromkeys(found.evaluate_all("all => all.map(one => one.getAttribute('href'))")))


def test_each_finds_their_own_and_no_word_of_the_other(office: Office) -> None:
    world = office.world
    people = {"acme": person("Olga", world.acme, "Administrators"), "globex": world.stranger}
    for organization in (world.acme, world.globex):
        furnish(world, organization, f"only{organization.slug}")
    pages = {slug: office.open(f"/o/{slug}/", user=user) for slug, user in people.items()}

    for slug, page in pages.items():
        other = "globex" if slug == "acme" else "acme"
        met = [page.content().lower()]
        for path in links(page, "nav[aria-label=Main]"):
            page.goto(path, wait_until="domcontentloaded")
            met.append(page.content().lower())
            for below in links(page, "#results tbody th", "Twin"):
                page.goto(below, wait_until="domcontentloaded")
                met.append(page.content().lower())
        assert len(met) > 12
        assert len([text for text in met if f"only{slug}" in text]) > 7
        assert not [text for text in met if other in text]

        for name in LISTS:
            page.goto(f"/o/{slug}/{name}/")
            page.get_by_role("searchbox").first.fill(f"only{other}")
            expect(page.locator("#results")).to_contain_text("match these filters")
