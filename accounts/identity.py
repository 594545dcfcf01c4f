"""From a request to an actor. The one core file that takes a request."""

from django.http import HttpRequest

from accounts.access import held_by
from accounts.models import User
from keyadmin.kernel.actor import ANONYMOUS, Actor, ActorKind


def person(user: User, *, address: str = "", request_id: str = "", reason: str = "") -> Actor:
    """The actor for a signed-in person."""
    return Actor(
        ActorKind.PERSON,
        id=user.pk,
        label=user.name,
        user_id=user.pk,
        held=held_by(user),
        address=address,
        request_id=request_id,
        reason=reason,
    )


def from_session(request: HttpRequest, *, address: str, request_id: str, reason: str) -> Actor:
    """The signed-in person of the browser session, else the anonymous actor."""
    user = request.user
    if isinstance(user, User) and user.is_authenticated and user.is_active:
        return person(user, address=address, request_id=request_id, reason=reason)
    return ANONYMOUS
