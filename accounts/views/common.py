"""What the pages about people, groups and policies share: where they are, how they ask, what they foretell."""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import queries
from accounts.models import Organization
from accounts.words import listed
from keyadmin.activity import queries as activity
from keyadmin.activity.models import Event
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError, StaleError
from keyadmin.keys import queries as keys
from keyadmin.verify.preview import Preview
from keyadmin.web import words
from keyadmin.web.auth import actor_of
from keyadmin.web.forms import KitForm, add_errors
from keyadmin.web.htmx import UNPROCESSABLE, finished, render_sheet
from keyadmin.web.navigation import Crumb

SHOWN_NAMES = 5
ROLE = "Read-only: you can look at {}, not change {}."


def here(request: HttpRequest) -> tuple[Actor, Organization]:
    """Who asks, and the organisation that the address names."""
    return actor_of(request), cast(Organization, request.organization)  # type: ignore[attr-defined]


def address(route: str, organization: Organization, *parts: object) -> str:
    return reverse(route, args=[organization.slug, *parts])


def may(actor: Actor, permission: str) -> bool:
    """Whether the actor holds a permission in the organisation that the request means."""
    return actor.organization_id is not None and actor.rights_in(actor.organization_id).allows(permission)


def may_look(actor: Actor, thing: str) -> bool:
    """The same for looking at a thing: user, group, policy, org."""
    return may(actor, f"{thing}.view") or may(actor, f"{thing}.ctrl")


@dataclass(frozen=True)
class Side:
    """Who gains, or who loses, and what: labels of permissions. `names` of keys only for who may see them."""

    users: int
    keys: int
    labels: list[str]
    names: list[str]

    @property
    def who(self) -> str:
        """`3 users and 7 keys`."""
        return counted(self.users, self.keys)

    @property
    def single(self) -> bool:
        return self.users + self.keys == 1

    @property
    def unnamed(self) -> int:
        return self.keys - len(self.names)


@dataclass(frozen=True)
class Impact:
    """What a change would do, in words."""

    users: int
    keys: int
    gained: Side
    lost: Side

    @property
    def touched(self) -> str:
        """`3 users and 7 keys`; nothing where nobody is touched."""
        return counted(self.users, self.keys)


def counted(users: int, number_of_keys: int) -> str:
    """`3 users and 7 keys`."""
    found = [words.counted(users, "user")] if users else []
    return listed([*found, *([words.counted(number_of_keys, "key")] if number_of_keys else [])])


def impact_of(preview: Preview, actor: Actor) -> Impact:
    """A preview as this person may read it."""
    labels = {row.name: row.label for row in queries.permissions()}

    def side(which: str) -> Side:
        shifted = [shift.key.pk for shift in preview.keys if shift.key is not None and getattr(shift, which)]
        names = keys.visible_names(actor, shifted, SHOWN_NAMES) if shifted else []
        users = sum(bool(getattr(shift, which)) for shift in preview.users)
        return Side(users, len(shifted), [labels[name] for name in getattr(preview, which)], names)

    return Impact(len(preview.users), len(preview.keys), side("gained"), side("lost"))


@dataclass(frozen=True)
class Sheet:
    """A form or a question: what it says, and where one is.

    `verb` and `name` are its heading; `about` is the kind and id of what may have changed meanwhile.
    """

    verb: str
    name: str
    back: str
    crumbs: Sequence[Crumb]
    button: str = "Save changes"
    busy: str = "Saving…"
    end: str = ""
    danger: bool = False
    lead: str = ""
    facts: Sequence[tuple[str, str]] = ()
    consequences: Collection[str] = ()
    impact: Impact | None = None
    about: tuple[str, int] = ("", 0)
    template: str = "accounts/sheet.html"
    more: dict[str, Any] = field(default_factory=dict)


def ask(request: HttpRequest, sheet: Sheet, form: KitForm, act: Callable[[], tuple[str, str]]) -> HttpResponse:
    """Show the form. Where it was sent and is right, carry out `act`, which says where to go on and what was done."""
    stale: Event | None = None
    is_stale = False
    if form.is_valid():
        try:
            return finished(request, *act())
        except StaleError:
            is_stale, stale = True, last_change(request, *sheet.about)
        except ProblemError as error:
            add_errors(form, error)
    context = {
        "sheet": sheet,
        "sheet_title": f"{sheet.verb} {sheet.name}".strip(),
        "crumbs": [*sheet.crumbs, Crumb(sheet.verb)],
        "form": form,
        "is_stale": is_stale,
        "stale": stale,
        **sheet.more,
    }
    status = UNPROCESSABLE if form.errors or is_stale else 200
    return render_sheet(request, sheet.template, context, status=status)


def sent(request: HttpRequest) -> Any:
    """What a form is made of: the body of a POST, else nothing."""
    return request.POST if request.method == "POST" else None


def acting(request: HttpRequest, form: KitForm) -> Actor:
    """The actor with the reason that was typed."""
    return dataclasses.replace(actor_of(request), reason=form.cleaned_data.get("reason", ""))


def last_change(request: HttpRequest, kind: str, pk: int) -> Event | None:
    """The newest entry of the log about a thing."""
    organization = here(request)[1]
    return next(iter(activity.about(kind, pk, organization.pk, 1)), None)
