"""A person's own keys, under their profile: they work in every organisation that the person is in."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries as accounts
from accounts.models import Organization, User
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError
from keyadmin.keys import policy, queries, rights
from keyadmin.keys.filters import DEFAULT_SORT, KeyFilter
from keyadmin.keys.forms import OwnKeyForm
from keyadmin.keys.tables import OwnKeyTable
from keyadmin.keys.views.create import answered
from keyadmin.keys.views.lists import NOUN
from keyadmin.keys.views.preview import said_of
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.lists import render_list
from keyadmin.web.navigation import Crumb, place_of


@never_cache
@require_safe
@signed_in
def own_keys(request: HttpRequest) -> HttpResponse:
    """All user keys of the person signed in."""
    actor = actor_of(request)
    filters = KeyFilter(request.GET, queries.own_keys(actor))
    context = {"why_not": why_not(request), "crumbs": [Crumb("My keys")], "unused": "me/_no_keys.html"}
    return render_list(
        request,
        filters,
        OwnKeyTable,
        noun=NOUN,
        template="me/keys.html",
        default_sort=DEFAULT_SORT,
        context=context,
        homes=accounts.visible_organizations(actor).filter(pk__in=list(actor.held.rights)),
        shown=[pk for pk in actor.held.rights if queries.may_look(actor, pk)],
    )


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def new_own_key(request: HttpRequest) -> HttpResponse:
    """The form for a new key of one's own; a good POST is answered with the secret, once."""
    actor = actor_of(request)
    rights.require_manage_person(actor, cast(User, request.user))
    return answered(request, OwnKeyForm, actor, described_in(request, actor), Crumb("My keys", reverse("my_keys")))


@sensitive_post_parameters()
@require_POST
@signed_in
def preview_own(request: HttpRequest) -> HttpResponse:
    """The box of this form, for what stands in it now."""
    actor = actor_of(request)
    rights.require_manage_person(actor, cast(User, request.user))
    form = OwnKeyForm(request.POST, actor=actor, organization=described_in(request, actor))
    return render(request, "keys/_preview.html", said_of(form))


def described_in(request: HttpRequest, actor: Actor) -> Organization:
    """The organisation in whose words a key is described: the one used last, if the person may have keys there."""
    here = place_of(request).organization
    found = list(queries.homes_of_own_keys(actor))
    return next((one for one in found if here is not None and one.pk == here.id), found[0])


def why_not(request: HttpRequest) -> str:
    """Why the person can't make a key of their own; nothing if they can."""
    actor, user = actor_of(request), cast(User, request.user)
    try:
        rights.require_manage_person(actor, user)
        policy.check_owner(policy.demands_on(None, user), user)
    except ProblemError as error:
        return error.detail
    return ""
