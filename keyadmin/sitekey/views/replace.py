"""Making a site key, which is shown once, and entering one."""

import dataclasses
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from keyadmin.instance import services as instance
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError
from keyadmin.sitekey import queries, services
from keyadmin.sitekey.forms import ReplaceForm
from keyadmin.sitekey.queries import State
from keyadmin.sitekey.views.page import TITLE
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, done, finished, go_to, render_sheet, secret, wants_part
from keyadmin.web.identity import ask_identity
from keyadmin.web.navigation import Crumb
from keyadmin.web.rest import base_address
from keyadmin.web.reveal import Unspoken

FILE, ENV_NAME = "site-key", "CRM_SITE_KEY"
NAMES = {"overlap_seconds": "overlap"}  # as the service calls it, and the form


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@signed_in
def replace_site_key(request: HttpRequest) -> HttpResponse:
    """The form; a good POST is answered with the site key, once, or, where one was entered, with the page."""
    actor = actor_of(request)
    state = queries.state(actor)
    posted = request.POST if request.method == "POST" else None
    seen = state.current.pk if state.current else 0
    form = ReplaceForm(posted, state=state, initial={"nonce": get_random_string(32), "replaces": seen})
    ask_identity(form, request)
    if form.is_valid():
        acting = dataclasses.replace(actor, reason=form.cleaned_data["reason"])
        try:
            return _entered(request, form, acting) if form.secret is not None else _made(request, form, acting)
        except ProblemError as error:
            add_errors(form, error, NAMES)
    context = {**_sheet("Replace the site key" if state.current else "Make a site key"), "form": form, "state": state}
    return render_sheet(request, "sitekey/replace.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_POST
@signed_in
def site_key_saved(request: HttpRequest) -> HttpResponse:
    """Somebody says that they saved the site key which this page showed them."""
    services.confirm_secret(actor=actor_of(request), token_id=request.POST.get("token_id", ""))
    return done() if wants_part(request) else go_to(request, reverse("site_key"))


def _entered(request: HttpRequest, form: ReplaceForm, actor: Actor) -> HttpResponse:
    typed = form.cleaned_data
    services.replace_site_key(actor=actor, secret=form.secret, overlap=form.chosen_overlap, replaces=typed["replaces"])
    return finished(request, reverse("site_key"), "The site key that you entered counts from now on.")


def _made(request: HttpRequest, form: ReplaceForm, actor: Actor) -> HttpResponse:
    """Make it, and show it in this answer alone; the form's nonce has a repeated POST find what the first one did."""
    minted = services.mint()

    def once() -> instance.Answer:
        issued = services.replace_site_key(
            actor=actor,
            overlap=form.chosen_overlap,
            minted=minted,
            confirmed=False,
            replaces=form.cleaned_data["replaces"],
        )
        return instance.Answer(200, {"secret": issued.secret}, {})

    scope, nonce = f"page:{actor.kind}:{actor.id}:site-key", form.cleaned_data["nonce"]
    answer = instance.once(actor, scope=scope, key=nonce, body=b"", act=once)
    if "secret" not in answer.body:
        return render_sheet(request, "sitekey/already_made.html", {**_sheet("Already done"), "no_close": True})
    shown = {**_about(request, queries.state(actor)), "secret": Unspoken(answer.body["secret"])}
    response = secret(render_sheet(request, "sitekey/reveal.html", shown))
    # After this page is made, so that the next one says it.
    messages.success(request, "The site key was made. It counts from now on.", extra_tags=reverse("site_key"))
    return response


def _sheet(title: str) -> dict[str, Any]:
    here = reverse("site_key")
    return {"sheet_title": title, "crumbs": [Crumb(TITLE, here), Crumb(title)], "back": here}


def _about(request: HttpRequest, state: State) -> dict[str, Any]:
    """The context of the reveal but for the secret."""
    return {
        **_sheet("Copy the site key"),
        "no_close": True,
        "state": state,
        "key": state.current,
        "of_site": True,
        "env_name": ENV_NAME,
        "file_name": FILE,
        "try_url": f"{base_address(request)}/api/v1/whoami",
        "saved_url": reverse("site_key_saved"),
        "after": reverse("site_key"),
        "after_label": "Back to the site key",
    }
