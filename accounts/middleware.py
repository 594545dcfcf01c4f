"""Which organisation a page is about: resolved once, from the address, for every view under /o/<org>/."""

import functools
import time
from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts import queries
from accounts.models import Organization, User
from accounts.services import sessions
from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.kernel.errors import ProblemError
from keyadmin.web import errors, navigation
from keyadmin.web.auth import KeyadminRequest, to_sign_in
from keyadmin.web.htmx import go_to
from keyadmin.web.session import DEMANDING, prolong

# Pages about no organisation through which one could act in any: the second factor that one demands is demanded here.
BEHIND_DEMANDS = ("/me/keys/", "/instance/")
SWITCHABLE = 200
SEEN, SEEN_SECONDS = "seen", 300
USED_LAST = "organization"  # in the session


class SeenMiddleware:
    """Notes, every five minutes at most, when and from where a session was used last; so long it lives on.

    To ask how much of it is left is no use.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: KeyadminRequest) -> HttpResponse:
        now = int(time.time())
        due = request.actor.kind is ActorKind.PERSON and now - request.session.get(SEEN, 0) >= SEEN_SECONDS
        asks = request.method == "GET" and request.path == reverse("session")
        if due and not asks and isinstance(request.user, User) and request.session.session_key:
            request.session[SEEN] = now
            prolong(request.session)
            agent = request.headers.get("User-Agent", "")
            key = request.session.session_key
            sessions.seen(user=request.user, session_key=key, address=request.client_address, user_agent=agent)
        return self.get_response(request)


class OrganizationMiddleware:
    """Takes `org` from the arguments of a view; the actor then means that organisation and no other.

    Who is not signed in is sent to sign in; who lacks the second factor that the organisation demands, to set one up;
    what one may not see is answered like what does not exist, and members of a suspended one read that it is. A page
    that is about none stands beside the one used last.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: KeyadminRequest, view: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if request.actor.kind is ActorKind.PERSON:
            last = request.session.get(USED_LAST)
            lazily = SimpleLazyObject(functools.partial(_place, request.actor, last))
            navigation.set_place(request, cast(navigation.Place, lazily))
        if "org" not in kwargs:
            behind = request.actor.kind is ActorKind.PERSON and request.path_info.startswith(BEHIND_DEMANDS)
            if behind and queries.demanding_organization(request.actor):
                return go_to(request, reverse("mfa_index"))
            return None
        slug = kwargs.pop("org")
        if request.actor.kind is not ActorKind.PERSON:
            return to_sign_in(request)
        try:
            organization = queries.organization_of_person(request.actor, slug)
        except ProblemError as error:
            return errors.answer(request, error)
        if organization.two_factor_required and not queries.has_second_factor(request.actor.user_id or 0):
            request.session[DEMANDING] = organization.pk
            return go_to(request, reverse("mfa_index"))
        request.session.pop(DEMANDING, None)
        if request.session.get(USED_LAST) != organization.pk:
            request.session[USED_LAST] = organization.pk
        navigation.set_place(request, navigation.Place(_named(organization), _known(request.actor)))
        request.actor = request.actor.meaning(organization.pk)
        request.organization = organization  # type: ignore[attr-defined]
        return None


def _known(actor: Actor) -> list[navigation.Organization]:
    return [_named(one) for one in queries.known_organizations(actor)[:SWITCHABLE]]


def _named(one: Organization) -> navigation.Organization:
    return navigation.Organization(one.pk, one.slug, one.name, one.suspended_at is not None)


def _place(actor: Actor, used_last: int | None) -> navigation.Place:
    """Where a person is who is in no organisation: beside the one used last, or the only one."""
    known = _known(actor)
    reached = [one for one in known if actor.reaches(one.id)]
    only = reached[0] if len(reached) == 1 else None
    beside = next((one for one in reached if one.id == used_last), only)
    return navigation.Place(beside, known, inside=False)
