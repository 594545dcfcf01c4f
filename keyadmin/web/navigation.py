"""What stands around every signed-in page: the rail's entries, the organisations to switch between, the theme.

A page says where it is by `set_place`; templates/app.html shows the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.web.theme import THEMES, theme_of


class Entry(NamedTuple):
    """One entry of the rail. `route` takes the organisation's slug; without one of the permissions it is absent."""

    label: str
    icon: str
    route: str
    permissions: tuple[str, ...] = ()
    readers: str = ""  # a permission of organisations with which a page of the instance may be read, too


class Group(NamedTuple):
    """Entries under a heading; the first has none."""

    label: str
    entries: Sequence[Entry]


# Only pages that exist.
RAIL = (
    Group(
        "",
        (
            Entry("Overview", "home", "overview"),
            Entry("API keys", "key", "keys", ("apikey.view", "apikey.ctrl", "apikey.own")),
            Entry("API users", "user", "api_users", ("user.view", "user.ctrl")),
            Entry("Groups", "users", "groups", ("group.view", "group.ctrl")),
            Entry("Policies", "page", "policies", ("policy.view", "policy.ctrl")),
            Entry("Permissions", "list", "permissions"),
        ),
    ),
    Group("Watch", (Entry("Activity", "activity", "activity", ("audit.view",)),)),
    Group(
        "Organisation",
        (
            Entry("Members", "card", "members", ("user.view", "user.ctrl")),
            Entry("Settings", "sliders", "settings", ("org.view", "org.ctrl")),
        ),
    ),
)


# Pages about the whole installation, whose permissions are the instance's.
INSTANCE = (
    Entry("Organisations", "building", "organizations", ("org.create",)),
    Entry("Site key", "lock", "site_key", ("sitekey.ctrl",)),
    Entry("Mail", "letter", "instance_mail", ("setting.ctrl",)),
    Entry("Rounds", "hourglass", "instance_rounds", ("setting.ctrl",), readers="audit.view"),
)


class Organization(NamedTuple):
    """What the kit knows of an organisation: to name it and to link to it."""

    id: int
    slug: str
    name: str
    suspended: bool = False

    @property
    def url(self) -> str:
        return reverse("overview", args=[self.slug])


class Crumb(NamedTuple):
    """One step of the breadcrumb; the last one, the page itself, has no address."""

    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request is: an organisation, and all that could be switched to or are suspended.

    On pages about the person or the instance (`inside` false) it is the one used last, if there is one.
    """

    organization: Organization | None = None
    organizations: Sequence[Organization] = field(default=())
    inside: bool = True


def set_place(request: HttpRequest, place: Place) -> None:
    """Say where the request is, once, where the address is resolved; the rail and the switcher follow."""
    request.place = place  # type: ignore[attr-defined]


def place_of(request: HttpRequest) -> Place:
    """What was said by `set_place`."""
    place: Place = getattr(request, "place", Place())
    return place


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `theme`, `themes`, `organization`, `inside`, `organizations`, `rail`, `rail_foot`."""
    place = place_of(request)
    actor: Actor | None = getattr(request, "actor", None)
    person = actor if actor and actor.kind is ActorKind.PERSON else None
    return {
        "theme": theme_of(request),
        "themes": THEMES,
        "organization": place.organization,
        "inside": place.inside,
        "organizations": place.organizations,
        "rail": rail(person, place.organization, request.path) if person else (),
        "rail_foot": rail_foot(person, request.path) if person else (),
    }


def rail(actor: Actor, organization: Organization | None, path: str) -> list[dict[str, Any]]:
    """The groups that the actor sees in an organisation, the current entry marked; nothing outside of one."""
    if organization is None:
        return []
    rights = actor.rights_in(organization.id)
    seen = [
        (label, [entry for entry in entries if not entry.permissions or any(map(rights.allows, entry.permissions))])
        for label, entries in RAIL
    ]
    urls = {entry.route: reverse(entry.route, args=[organization.slug]) for _, entries in seen for entry in entries}
    # The address of one entry can begin that of another: the longest is meant. The overview's begins all others.
    begun = [url for route, url in urls.items() if path == url or (route != "overview" and path.startswith(url))]
    here = max(begun, key=len, default="")
    return [
        {"label": label, "entries": [_shown(entry, urls[entry.route], here) for entry in entries]}
        for label, entries in seen
        if entries
    ]


def rail_foot(actor: Actor, path: str) -> list[dict[str, Any]]:
    """The pages of the instance that the actor may see, the current one marked."""
    seen = [
        entry
        for entry in INSTANCE
        if all(map(actor.held.instance.allows, entry.permissions)) or (entry.readers and actor.allows(entry.readers))
    ]
    urls = {entry.route: reverse(entry.route) for entry in seen}
    here = next((url for url in urls.values() if path.startswith(url)), "")
    return [_shown(entry, urls[entry.route], here) for entry in seen]


def _shown(entry: Entry, url: str, here: str) -> dict[str, Any]:
    return {"label": entry.label, "icon": entry.icon, "url": url, "current": url == here}
