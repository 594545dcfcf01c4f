"""What the pages about keys share: where they are, and where they go on."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import queries as accounts
from accounts.models import Organization, User, UserKind
from keyadmin.kernel.actor import Actor
from keyadmin.keys import picker, queries
from keyadmin.keys.models import APIKey
from keyadmin.keys.places import elsewhere
from keyadmin.web import htmx
from keyadmin.web.auth import actor_of
from keyadmin.web.navigation import Crumb

NAMED_RIGHTS = 6


def here(request: HttpRequest) -> tuple[Actor, Organization]:
    """Who asks, and the organisation that the address names."""
    return actor_of(request), cast(Organization, request.organization)  # type: ignore[attr-defined]


def address(route: str, organization: Organization, *parts: object) -> str:
    return reverse(route, args=[organization.slug, *parts])


def about(key: APIKey, organization: Organization, act: str) -> dict[str, Any]:
    """The context of a sheet about one key."""
    back = address("key", organization, key.pk)
    return {
        "key": key,
        "sheet_title": f"{act} {key.name}",
        "back": back,
        "crumbs": [Crumb("API keys", address("keys", organization)), Crumb(key.name, back), Crumb(act)],
    }


def crumbs_to_user(organization: Organization, user: User) -> list[Crumb]:
    """The way to the page of a user."""
    if user.kind == UserKind.API:
        listed = [Crumb("API users", address("api_users", organization))]
        return [*listed, Crumb(user.name, address("api_user", organization, user.pk))]
    listed = [Crumb("Settings", address("settings", organization)), Crumb("Members", address("members", organization))]
    return [*listed, Crumb(user.name, address("member", organization, user.pk))]


def list_behind(request: HttpRequest, organization: Organization) -> str:
    """The address of the key list with its filters, if one came from there; else nothing."""
    return htmx.list_behind(request, address("keys", organization))


def at_row(keys: str, key: APIKey) -> str:
    """An address of the key list that names the row of the key, for keys.js to put the focus on.

    No element has this id: the browser would scroll to it, past what the page says of the key.
    """
    return f"{keys}#key-{key.pk}"


def facts_about(key: APIKey, organization: Organization) -> list[tuple[str, str]]:
    """Whose a key is and what it can do, before something happens to it: label and value."""
    words = picker.in_words(accounts.grantable_permissions(), queries.effective(key, organization))
    named = [row.label for row in words.permissions]
    more = f" and {len(named) - NAMED_RIGHTS} more" if len(named) > NAMED_RIGHTS else ""
    can = ", ".join(named[:NAMED_RIGHTS]) + more or "Nothing but say who it is"
    kind = "" if key.owner is None else " (API user)" if key.owner.kind == UserKind.API else " (person)"
    return [
        ("Belongs to", f"{key.owner.name}{kind}" if key.owner else organization.name),
        ("Can", "Everything: it is an admin key" if words.everything else can),
    ]


def stops_elsewhere(key: APIKey, actor: Actor, organization: Organization) -> list[str]:
    """A sentence for who stops a person's key: that it works in other organisations too, where it does."""
    where = elsewhere(key, actor, organization)
    return [f"It also works {where}: it stops there too."] if where else []


def finished(request: HttpRequest, url: str, text: str) -> HttpResponse:
    """After a change: say so, above the list if that is where one came from, else at `url`."""
    return htmx.finished(request, list_behind(request, here(request)[1]) or url, text)
