"""The page of one key."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from keyadmin.keys import queries, rights
from keyadmin.keys.often import often
from keyadmin.keys.places import elsewhere, known_places
from keyadmin.keys.tables import tags_of
from keyadmin.keys.views.acts import acts_on, banners
from keyadmin.keys.views.common import address, here
from keyadmin.keys.views.lists import standing
from keyadmin.keys.views.powers import idle_of, powers_of
from keyadmin.keys.views.simulate import SimulateForm
from keyadmin.keys.views.story import story
from keyadmin.keys.views.usage import usage_of
from keyadmin.sitekey.queries import is_demanded
from keyadmin.web.navigation import Crumb


@require_safe
def key_page(request: HttpRequest, pk: int) -> HttpResponse:
    """All that may be known of one key."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    permitted = rights.permitted(actor, [key])
    steps = story(key, organization)
    block = queries.blocks([key], [organization.pk]).get((key.pk, organization.pk))
    context = {
        **standing(actor, organization),
        "key": key,
        "tags": [*queries.stops_of(key, organization.name if block else ""), *tags_of(key)],
        "acts": acts_on(key, organization, permitted, blocked=block is not None)[2:],
        "banners": banners(key, organization, steps, permitted, block, elsewhere(key, actor, organization)),
        "places": known_places(key, actor) if rights.is_persons(key) else None,
        "powers": powers_of(key, organization),
        "idle": idle_of(key, organization),
        "often": often(key),
        "usage": usage_of(actor, key),
        "simulate_form": SimulateForm(),
        "with_site_key": is_demanded(),
        "lineage": queries.lineage(key),
        "steps": steps,
        "blocked": block is not None,
        "may_manage": key.pk in permitted.managed,
        "crumbs": [Crumb("API keys", address("keys", organization)), Crumb(key.name)],
    }
    return render(request, "keys/key.html", context)
