"""The API key tab of a user: the one key that is assigned to them is generated, or entered as it was made elsewhere."""

import dataclasses

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts import queries as accounts
from accounts.models import Organization, User, UserKind
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError, ProblemError
from keyadmin.keys import policy, queries, rights, services
from keyadmin.keys.forms import AssignForm
from keyadmin.keys.models import APIKey
from keyadmin.keys.views.common import address, crumbs_to_user, here
from keyadmin.keys.views.reveal import reveal_once
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, finished
from keyadmin.web.identity import ask_identity
from keyadmin.web.navigation import Crumb


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def assigned_key(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The assigned key, and the form for another; a generated one is shown in the answer to a good POST, once."""
    actor, organization = here(request)
    owner = accounts.visible_member(actor, pk, kind=kind).user
    key = _seen(actor, owner)
    home = organization if owner.kind == UserKind.API else None
    lacking = _lacking(actor, home, owner)
    if lacking and request.method == "POST":
        raise lacking
    url = address("api_user_key" if home else "member_key", organization, pk)
    demands = policy.demands_on(home.pk if home else None, owner)
    posted = request.POST if request.method == "POST" else None
    form = AssignForm(posted, demands=demands, key=key, initial={"nonce": get_random_string(32)})
    ask_identity(form, request)
    if form.is_valid():
        try:
            return _assign(request, form, owner, key, Crumb(owner.name, url))
        except ProblemError as error:
            add_errors(form, error)
    context = {
        "member": owner,
        "key": key,
        "stops": queries.with_stops([key], organization)[0][1] if key else [],
        "may_revoke": key is not None and key.pk in rights.permitted(actor, [key]).managed,
        "form": form,
        "powerless": home is not None and not access.held_by(owner).rights_in(organization.pk).patterns,
        "may_manage": actor.allows("user.ctrl"),
        "may_regroup": actor.allows("group.ctrl"),
        "key_numbers": queries.counts_by_owner([pk]).get(pk, (0, 0)),
        "lacking": lacking.detail if lacking else "",
        "crumbs": [*crumbs_to_user(organization, owner), Crumb("API key")],
    }
    return render(request, "keys/assigned.html", context, status=UNPROCESSABLE if form.errors else 200)


def _assign(request: HttpRequest, form: AssignForm, owner: User, key: APIKey | None, back: Crumb) -> HttpResponse:
    actor, organization = here(request)
    acting = dataclasses.replace(actor, reason=form.cleaned_data["reason"])
    if form.secret is not None:
        services.assign_key(actor=acting, owner=owner, secret=form.secret, expires_at=form.cleaned_data["expires_at"])
        return finished(request, back.url, f"{owner.name} has the key that you entered.")

    def generate(minted: services.Minted) -> services.Issued:
        return services.assign_key(
            actor=acting, owner=owner, expires_at=form.cleaned_data["expires_at"], minted=minted, confirmed=False
        )

    return reveal_once(
        request,
        actor,
        form.cleaned_data["nonce"],
        services.mint(),
        generate,
        organization=organization,
        keys=Crumb("API keys", address("keys", organization)),
        again=key is not None,
        back=back,
    )


def _seen(actor: Actor, owner: User) -> APIKey | None:
    """The assigned key, for who may look at the user's keys. Raises DeniedError."""
    if owner.pk != actor.user_id and not (actor.allows("apikey.view") or actor.allows("apikey.ctrl")):
        raise access.denied(actor, "apikey.view")
    return queries.assigned_key(queries.visible_keys(actor).filter(revoked_at=None), owner)


def _lacking(actor: Actor, home: Organization | None, owner: User) -> DeniedError | None:
    try:
        rights.require_assign(actor, home, owner)
    except DeniedError as error:
        return error
    return None
