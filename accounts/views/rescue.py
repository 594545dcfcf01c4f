"""For an administrator of the instance: a person who lost their second factor, or is signed in on a lost device."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.forms.common import ConfirmForm
from accounts.models import User
from accounts.services import second_factor, sessions
from accounts.views.common import Sheet, acting, address, ask, sent
from accounts.views.users import PERSON, crumbs_to, member
from keyadmin.kernel.actor import Actor
from keyadmin.web.identity import ask_identity

SIGNED_OUT = "They are signed out everywhere."
TOLD = "They get a mail about it."
NOT_TOLD = "No mail server is set up: the message to them waits under Mail, so tell them yourself."
ALONE = "Their password alone opens their account until they set up a new one."


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def remove_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """After what it means, and who asks."""
    words = ("Remove the second factor", "Remove", "Removing…")

    def act(actor: Actor, user: User) -> str:
        second_factor.remove_all(actor=actor, user=user)
        return f"The second factor of {user.name} was removed."

    return _sheet(request, pk, words, [ALONE, SIGNED_OUT, TOLD if settings.ENV.mail else NOT_TOLD], act)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def end_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for signing a person out."""
    words = ("Sign out everywhere", "Sign out", "Signing out…")

    def act(actor: Actor, user: User) -> str:
        sessions.end_all(actor=actor, user=user)
        return f"{user.name} was signed out everywhere."

    return _sheet(request, pk, words, ["They can sign in again, and their API keys go on working."], act)


def _sheet(
    request: HttpRequest,
    pk: int,
    words: tuple[str, str, str],
    consequences: list[str],
    act: Callable[[Actor, User], str],
) -> HttpResponse:
    actor, organization, user = member(request, PERSON, pk)
    access.require_instance(actor, "setting.ctrl")
    form = ConfirmForm(sent(request))
    ask_identity(form, request)
    back = address(PERSON.route, organization, pk)
    verb, button, busy = words
    sheet = Sheet(
        verb,
        "",
        back,
        crumbs_to(PERSON, organization, user),
        button,
        busy,
        danger=True,
        facts=[("Person", user.name)],
        consequences=consequences,
    )
    return ask(request, sheet, form, lambda: (back, act(acting(request, form), user)))
