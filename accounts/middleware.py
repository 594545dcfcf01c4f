"""Which organisation a page is about: resolved once, from the address, for every view under /o/<org>/."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts import queries
from keyadmin.kernel.actor import ActorKind
from keyadmin.kernel.errors import NotFoundError
from keyadmin.web import errors, navigation
from keyadmin.web.auth import KeyadminRequest, to_sign_in

SWITCHABLE = 200


class OrganizationMiddleware:
    """Takes `org` from the arguments of a view; the actor then means that organisation and no other.

    Who is not signed in is sent to sign in; what one may not see is answered like what does not exist.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: KeyadminRequest, view: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if "org" not in kwargs:
            return None
        slug = kwargs.pop("org")
        if request.actor.kind is not ActorKind.PERSON:
            return to_sign_in(request)
        try:
            organization = queries.organization(request.actor, slug)
        except NotFoundError as error:
            return errors.answer(request, error)
        reached = queries.visible_organizations(request.actor)[:SWITCHABLE]
        places = [navigation.Organization(one.pk, one.slug, one.name) for one in reached]
        here = navigation.Organization(organization.pk, organization.slug, organization.name)
        navigation.set_place(request, navigation.Place(here, places))
        request.actor = request.actor.meaning(organization.pk)
        request.organization = organization  # type: ignore[attr-defined]
        return None
