"""What else can be done to the site key, each after what it means, and who asks."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError
from keyadmin.keys import queries as keys
from keyadmin.sitekey import queries, services
from keyadmin.sitekey.forms import ActForm
from keyadmin.sitekey.queries import DAYS, State
from keyadmin.sitekey.views.page import TITLE
from keyadmin.web import words
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, finished, render_sheet
from keyadmin.web.identity import ask_identity
from keyadmin.web.navigation import Crumb

GIVE_IT = "Give the site key to all who use API keys first: gateways, applications, scripts."
PAGES = "Pages in the browser go on without it, so this can be undone here, or by the command site_key."
UNCONFIRMED = "Nobody said that the site key was saved. If nobody has it, make another one first."


@dataclass(frozen=True)
class Question:
    """A question as templates/accounts/sheet.html shows it."""

    verb: str
    button: str
    busy: str
    consequences: Sequence[str]
    facts: Sequence[tuple[str, str]] = ()
    danger: bool = True
    name: str = ""
    end: str = "?"
    lead: str = ""
    impact: None = None
    back: str = field(default_factory=lambda: reverse("site_key"))


@require_http_methods(["GET", "POST"])
@signed_in
def demand(request: HttpRequest) -> HttpResponse:
    """Turn the demand on, with how many keys that is about."""
    actor = actor_of(request)
    state = queries.state(actor)
    used = keys.number_used(actor.meaning(None), DAYS)
    were = "was" if used == 1 else "were"
    consequences = [
        f"{words.counted(used, 'API key')} {were} used in the last {DAYS} days. From now on each request with a key "
        "also needs the site key in X-SITE-KEY, or gets 401.",
        GIVE_IT,
        PAGES,
    ]
    if state.current is not None and state.current.secret_confirmed_at is None:
        consequences.insert(0, UNCONFIRMED)
    question = Question(
        "Demand the site key",
        "Demand it",
        "Demanding…",
        consequences,
        _facts(state),
    )
    act = partial(services.set_demand, demanded=True)
    return _ask(request, question, act, "The site key is demanded from now on.")


@require_http_methods(["GET", "POST"])
@signed_in
def stop_demanding(request: HttpRequest) -> HttpResponse:
    """Turn it off again."""
    state = queries.state(actor_of(request))
    question = Question(
        "Stop demanding the site key",
        "Stop demanding it",
        "Saving…",
        ["From now on an API key alone is enough. The site key stays, for the next time."],
        _facts(state),
    )
    act = partial(services.set_demand, demanded=False)
    return _ask(request, question, act, "The site key is no longer demanded.")


@require_http_methods(["GET", "POST"])
@signed_in
def end_overlap(request: HttpRequest) -> HttpResponse:
    """Let the one that retires stop now."""
    state = queries.state(actor_of(request))
    facts = [("Former site key", state.retiring.masked)] if state.retiring else []
    consequences = ["The former site key stops at once. While one is demanded, whatever still sends it gets 401."]
    question = Question("End the overlap", "End it now", "Ending…", consequences, facts)
    return _ask(request, question, services.end_overlap, "The former site key counts no longer.")


@require_http_methods(["GET", "POST"])
@signed_in
def revoke_site_key(request: HttpRequest) -> HttpResponse:
    """Stop it for good, without another."""
    state = queries.state(actor_of(request))
    consequences = ["This cannot be undone. It can be made, or entered, anew; until then none can be demanded."]
    question = Question("Revoke the site key", "Revoke", "Revoking…", consequences, _facts(state))
    return _ask(request, question, services.revoke_site_key, "The site key was revoked.")


def _facts(state: State) -> list[tuple[str, str]]:
    return [(TITLE, state.current.masked)] if state.current else []


def _ask(request: HttpRequest, question: Question, act: Callable[..., None], said: str) -> HttpResponse:
    """Show the question; where it was answered, carry out the act."""
    actor: Actor = actor_of(request)
    form = ActForm(request.POST if request.method == "POST" else None)
    ask_identity(form, request)
    if form.is_valid():
        try:
            act(actor=dataclasses.replace(actor, reason=form.cleaned_data["reason"]))
            return finished(request, question.back, said)
        except ProblemError as error:
            add_errors(form, error)
    context = {
        "sheet": question,
        "sheet_title": question.verb,
        "crumbs": [Crumb(TITLE, question.back), Crumb(question.verb)],
        "form": form,
    }
    return render_sheet(request, "accounts/sheet.html", context, status=UNPROCESSABLE if form.errors else 200)
