"""Sign-ins and sign-outs as events: in the log of the instance and of each organisation that the person is in."""

from collections.abc import Callable

from accounts import queries
from accounts.models import User
from keyadmin.activity import work
from keyadmin.activity.events import INSTANCE, EventName, Target
from keyadmin.kernel import tokens
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.text import one_line

AGENT_LENGTH = 300


def sign_in(*, actor: Actor, user: User, user_agent: str, begin: Callable[[], None]) -> None:
    """Let `begin` make the session of the person, and record it: both or neither.

    Raises UnavailableError if the log can't be written.
    """
    _recorded(actor, user, EventName.PERSON_SIGNED_IN, user_agent, begin)


def sign_out(*, actor: Actor, user: User, user_agent: str, end: Callable[[], None]) -> None:
    """Let `end` remove the session, and record it: both or neither. Raises as sign_in does."""
    _recorded(actor, user, EventName.PERSON_SIGNED_OUT, user_agent, end)


def _recorded(actor: Actor, user: User, name: EventName, user_agent: str, act: Callable[[], None]) -> None:
    with work.unit(actor) as unit:
        act()
        unit.record(
            name,
            Target("user", user.pk, user.name),
            organizations=[INSTANCE, *queries.organization_ids_of(user)],
            after={"user_agent": clean_agent(user_agent)},
        )


def clean_agent(text: str) -> str:
    """What a browser calls itself, as it may be kept: one line, no whole key, at most 300 characters."""
    return one_line(tokens.redact(text[: 10 * AGENT_LENGTH]))[:AGENT_LENGTH]
