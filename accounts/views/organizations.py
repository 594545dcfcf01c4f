"""The organisations that a person can go to, and those of the instance."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access, listings, queries
from accounts.filters import OrganizationFilter
from accounts.forms.settings import OrganizationForm
from accounts.services import organizations as services
from accounts.tables import OrganizationsTable
from accounts.views.common import Sheet, ask, sent
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.navigation import Crumb

NOUN = Noun("organisation", "organisations")
CREATE = "org.create"
SHOWN = 500


@require_safe
@signed_in
def switch(request: HttpRequest) -> HttpResponse:
    """All organisations that the person can go to, and those of theirs that are suspended."""
    actor = actor_of(request)
    context = {
        "known": queries.known_organizations(actor)[:SHOWN],
        "may_manage": actor.held.instance.allows(CREATE),
        "crumbs": [Crumb("Organisations")],
    }
    return render(request, "organizations/switch.html", context)


@require_safe
@signed_in
def organization_list(request: HttpRequest) -> HttpResponse:
    """All organisations of the instance."""
    access.require_instance(actor_of(request), CREATE)
    filters = OrganizationFilter(request.GET, listings.organizations(actor_of(request)))
    return render_list(
        request,
        filters,
        OrganizationsTable,
        noun=NOUN,
        template="organizations/list.html",
        default_sort="name",
        context={"heading": "Organisations", "crumbs": [Crumb("Organisations")]},
    )


@require_http_methods(["GET", "POST"])
@signed_in
def new_organization(request: HttpRequest) -> HttpResponse:
    """Make an organisation with its ready groups."""
    actor = actor_of(request)
    access.require_instance(actor, CREATE)
    form = OrganizationForm(sent(request))

    def act() -> tuple[str, str]:
        made = services.create_organization(actor=actor, name=form.cleaned_data["name"], slug=form.cleaned_data["slug"])
        return reverse("members", args=[made.slug]), f"{made.name} was created. Now invite its first members."

    lead = "Its keys, people and logs are kept apart from all others."
    back = reverse("organizations")
    sheet = Sheet(
        "Create organisation", "", back, [Crumb("Organisations", back)], "Create organisation", "Creating…", lead=lead
    )
    return ask(request, sheet, form, act)
