"""The page of one key."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from keyadmin.keys import queries, rights
from keyadmin.keys.tables import tags_of
from keyadmin.keys.views.acts import acts_on, banners
from keyadmin.keys.views.common import address, here
from keyadmin.keys.views.lists import standing
from keyadmin.keys.views.powers import idle_of, powers_of
from keyadmin.keys.views.story import story
from keyadmin.web.navigation import Crumb


@require_safe
def key_page(request: HttpRequest, pk: int) -> HttpResponse:
    """All that may be known of one key."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    permitted = rights.permitted(actor, [key])
    steps = story(key, organization)
    context = {
        **standing(actor, organization),
        "key": key,
        "tags": tags_of(key),
        "acts": acts_on(key, organization.slug, permitted)[2:],
        "banners": banners(key, organization.slug, steps, permitted),
        "powers": powers_of(key, organization),
        "idle": idle_of(key, organization),
        "lineage": queries.lineage(key),
        "steps": steps,
        "may_manage": key.pk in permitted.managed,
        "crumbs": [Crumb("API keys", address("keys", organization)), Crumb(key.name)],
    }
    return render(request, "keys/key.html", context)
