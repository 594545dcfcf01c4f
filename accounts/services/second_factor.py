"""Authenticator app, passkeys and recovery codes: what allauth does to them, as events of the same transaction."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from accounts import access, mail, queries
from accounts.models import User, UserKind
from accounts.services import sessions
from accounts.services.common import locked
from keyadmin.activity import work
from keyadmin.activity.events import INSTANCE, EventName, Target
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError

T = TypeVar("T")


@dataclass(slots=True)
class _Factors:
    """How a person signs in besides their password: ids, names, and how many recovery codes are left."""

    totp: int | None = None
    codes: int | None = None
    left: int = 0
    passkeys: dict[int, str] = field(default_factory=dict)


def recorded(*, actor: Actor, user: User, act: Callable[[], T]) -> T:
    """Let `act` change how the person signs in and record what it changed: all of it or nothing.

    Raises UnavailableError if the log can't be written, and whatever `act` raises.
    """
    with work.unit(actor) as unit:
        before = _factors(user)
        answer = act()
        changes = list(_changes(before, _factors(user)))
        chains = [INSTANCE, *queries.organization_ids_of(user)] if changes else []
        for name, after in changes:
            unit.record(name, Target("user", user.pk, user.name), organizations=chains, after=after)
    return answer


def names(user: User) -> list[str]:
    """The second factors of a person, each in a few words."""
    found = _factors(user)
    passkeys = [f"passkey {found.passkeys[pk]}" for pk in sorted(found.passkeys)]
    return [*(["authenticator app"] if found.totp else []), *passkeys, *(["recovery codes"] if found.codes else [])]


def remove_all(*, actor: Actor, user: User) -> None:
    """Remove the second factors of somebody who has lost theirs, end all their sessions, and tell them. Idempotent.

    Raises DeniedError (`setting.ctrl`, of the instance), NotFoundError for who is no person, InvalidError for
    oneself: one's own are removed under Security, which asks who one is.
    """
    access.require_instance(actor, "setting.ctrl")
    if actor.user_id == user.pk:
        raise InvalidError.field("user", "Remove your own second factor under Security.")
    with work.unit(actor) as unit:
        row = locked(User.objects.filter(kind=UserKind.PERSON), user.pk, missing="There is no such person.")
        before = names(row)
        if before:
            Authenticator.objects.filter(user=row).delete()
            sessions.forget(row)
            chains = [INSTANCE, *queries.organization_ids_of(row)]
            unit.record(
                EventName.PERSON_SECOND_FACTOR_REMOVED,
                Target("user", row.pk, row.name),
                organizations=chains,
                before={"second_factor": before},
                after={"second_factor": []},
            )
            transaction.on_commit(lambda: mail.post(_notice(row, actor)))


def take_step(*, user: User, code: str) -> bool:
    """Take the time step that a TOTP code belongs to. False if that one or a later one has been taken (RFC 6238 §5.2).

    A recovery code belongs to no step; those are crossed out elsewhere.
    """
    with transaction.atomic():
        rows = Authenticator.objects.select_for_update(no_key=True).filter(user=user, type=Authenticator.Type.TOTP)
        row = rows.first()
        if row is None:
            return True
        secret = totp.decrypt(row.data["secret"])
        steps = [step for step in totp.yield_hotp_counters_from_time() if _fits(secret, step, code)]
        if steps and max(steps) <= row.data.get("last_step", 0):
            return False
        if steps:
            row.data["last_step"] = max(steps)
            row.save(update_fields=["data"])
    return True


def _notice(user: User, actor: Actor) -> EmailMessage:
    text = render_to_string("account/email/second_factor_removed.txt", {"user": user, "by": actor.label})
    return EmailMessage("Your second factor was removed", text, to=[user.email or ""])


def _fits(secret: str, step: int, code: str) -> bool:
    return bool(compare_user_code(actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, step))))


def _factors(user: User) -> _Factors:
    found = _Factors()
    for row in Authenticator.objects.filter(user=user).order_by("pk"):
        if row.type == Authenticator.Type.TOTP:
            found.totp = row.pk
        elif row.type == Authenticator.Type.RECOVERY_CODES:
            found.codes, found.left = row.pk, len(row.wrap().get_unused_codes())
        else:
            found.passkeys[row.pk] = row.data["name"]
    return found


def _changes(before: _Factors, after: _Factors) -> Iterator[tuple[EventName, Mapping[str, object] | None]]:
    if before.totp != after.totp:
        yield EventName.PERSON_TOTP_ACTIVATED if after.totp else EventName.PERSON_TOTP_DEACTIVATED, None
    for pk in sorted(before.passkeys.keys() | after.passkeys.keys()):
        old, new = before.passkeys.get(pk), after.passkeys.get(pk)
        if old is None:
            yield EventName.PERSON_PASSKEY_ADDED, {"passkey": new}
        elif new is None:
            yield EventName.PERSON_PASSKEY_REMOVED, {"passkey": old}
        elif old != new:
            yield EventName.PERSON_PASSKEY_RENAMED, {"passkey": new}
    if after.codes and before.codes != after.codes:
        yield EventName.PERSON_RECOVERY_CODES_MADE, None
    elif after.codes and after.left < before.left:
        yield EventName.PERSON_RECOVERY_CODE_USED, {"codes_left": after.left}
