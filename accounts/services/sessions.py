"""Sessions, from sign-in to sign-out: each is an event of the instance and of every organisation of the person."""

from collections.abc import Callable

from allauth.usersessions.models import UserSession

from accounts import access, queries
from accounts.models import User
from keyadmin.activity import work
from keyadmin.activity.events import INSTANCE, EventName, Target
from keyadmin.kernel import addresses, clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import NotFoundError
from keyadmin.kernel.text import kept_line

AGENT_LENGTH = 300


def sign_in(*, actor: Actor, user: User, user_agent: str, begin: Callable[[], None]) -> None:
    """Let `begin` make the session of the person, and record it: both or neither.

    Raises UnavailableError if the log can't be written.
    """
    _recorded(actor, user, EventName.PERSON_SIGNED_IN, user_agent, begin)


def sign_out(*, actor: Actor, user: User, user_agent: str, end: Callable[[], None]) -> None:
    """Let `end` remove the session, and record it: both or neither. Raises as sign_in does."""
    _recorded(actor, user, EventName.PERSON_SIGNED_OUT, user_agent, end)


def change_password(*, actor: Actor, user: User, encoded_password: str, by_link: bool) -> None:
    """Give a person a new password, already hashed. All other sessions end with it. `by_link`: by that of a mail."""
    name = EventName.PERSON_PASSWORD_RESET if by_link else EventName.PERSON_PASSWORD_CHANGED
    with work.unit(actor) as unit:
        user.password = encoded_password
        user.save(update_fields=["password"])
        unit.record(name, _target(user), organizations=_chains(user))


def seen(*, user: User, session_key: str, address: str, user_agent: str) -> None:
    """Note when and from where a session was used last. No activity: nothing is recorded."""
    where = addresses.parse_address(address) or "0.0.0.0"  # noqa: S104
    now, agent = clock.now(), clean_agent(user_agent)[:200]
    UserSession.objects.update_or_create(
        session_key=session_key,
        defaults={"user": user, "ip": where, "user_agent": agent, "last_seen_at": now},
    )


def sessions_of(user: User) -> list[UserSession]:
    """The sessions of a person that are alive, the one used last first."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda row: row.last_seen_at, reverse=True)


def end(*, actor: Actor, user: User, session_id: int) -> None:
    """End one session of a person. Raises NotFoundError."""
    with work.unit(actor) as unit:
        rows = list(UserSession.objects.filter(user=user, pk=session_id if 0 < session_id < 2**63 else 0))
        if not rows:
            raise NotFoundError("This session has ended.")
        _end(unit, user, rows)


def end_others(*, actor: Actor, user: User, session_key: str) -> int:
    """End all sessions of a person but one; returns how many."""
    with work.unit(actor) as unit:
        rows = [row for row in sessions_of(user) if row.session_key != session_key]
        if rows:
            _end(unit, user, rows)
    return len(rows)


def end_all(*, actor: Actor, user: User) -> int:
    """Sign a person out everywhere; returns how many sessions ended. Raises DeniedError (`setting.ctrl`)."""
    access.require_instance(actor, "setting.ctrl")
    with work.unit(actor) as unit:
        rows = sessions_of(user)
        if rows:
            _end(unit, user, rows)
    return len(rows)


def forget(user: User) -> None:
    """End all sessions of a person as a part of something larger, which records it."""
    for row in UserSession.objects.filter(user=user):
        row.end()


def _end(unit: work.Work, user: User, rows: list[UserSession]) -> None:
    for row in rows:
        row.end()
    after = {"sessions": [f"{row.ip} {row.user_agent}".strip() for row in rows]}
    unit.record(EventName.PERSON_SESSIONS_ENDED, _target(user), organizations=_chains(user), after=after)


def _target(user: User) -> Target:
    return Target("user", user.pk, user.name)


def _chains(user: User) -> list[int]:
    return [INSTANCE, *queries.organization_ids_of(user)]


def _recorded(actor: Actor, user: User, name: EventName, user_agent: str, act: Callable[[], None]) -> None:
    with work.unit(actor) as unit:
        act()
        unit.record(
            name,
            _target(user),
            organizations=_chains(user),
            after={"user_agent": clean_agent(user_agent)},
        )


def clean_agent(text: str) -> str:
    """What a browser calls itself, as it may be kept: one line, no whole key, at most 300 characters."""
    return kept_line(text, AGENT_LENGTH)
