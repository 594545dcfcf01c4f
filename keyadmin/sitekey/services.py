"""Every change of the site key. Pages, REST and the command all call these; each needs `sitekey.ctrl`.

All of them bump the epoch, whether they found something to change or not: what was made works everywhere once the
answer is out, and what was taken away works nowhere.
"""

from datetime import timedelta
from typing import Final

from django.conf import settings

from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.instance import services as instance
from keyadmin.kernel import clock
from keyadmin.kernel.actor import SYSTEM, Actor
from keyadmin.kernel.errors import ConflictError, InvalidError, StaleError
from keyadmin.sitekey.models import SiteKey, SiteKeyState
from keyadmin.sitekey.queries import require_manage
from keyadmin.sitekey.secrets import WARNING, Entered, Issued, Minted, enter, mint

__all__ = [
    "DEFAULT_OVERLAP",
    "LONGEST_OVERLAP",
    "WARNING",
    "Issued",
    "Minted",
    "confirm_secret",
    "end_overlap",
    "forget_ended",
    "mint",
    "replace_site_key",
    "replace_verifier",
    "revoke_site_key",
    "set_demand",
]

DEFAULT_OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=30)


def replace_site_key(
    *,
    actor: Actor,
    secret: str | None = None,
    overlap: timedelta = DEFAULT_OVERLAP,
    minted: Minted | None = None,
    confirmed: bool = True,
    replaces: int | None = None,
) -> Issued:
    """Make a site key, or enter one made elsewhere (`secret`), in place of the one before, if there is one.

    That one counts for `overlap` longer (none: it is dead at once); one that was retiring is dead at once. What is
    demanded stays. To enter the current one again changes nothing. `replaces` is the id of the site key that the
    actor saw (0: none). `confirmed` false: a person is shown the secret and has yet to say that it was saved.
    Raises DeniedError, NotFoundError, InvalidError, StaleError.
    """
    require_manage(actor)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise InvalidError.field("overlap_seconds", f"An overlap lasts from 0 to {LONGEST_OVERLAP.days} days.")
    new: Minted | Entered = (minted or mint()) if secret is None else enter(secret, _current())
    with work.unit(actor) as unit:
        instance.lock()
        unit.changes_rights()
        before = _current()
        if replaces is not None and replaces != (before.pk if before else 0):
            raise StaleError
        if before is not None and isinstance(new, Entered) and new.same_as == before.verifier:
            return Issued(before, "")
        key = new.row()
        now = clock.now()
        key.state, key.created_at, key.created_by_label = SiteKeyState.CURRENT, now, actor.label
        key.secret_confirmed_at = now if confirmed else None
        if before is not None:
            key.demanded = before.demanded
            _retire(before, overlap)
        key.save(force_insert=True)
        name = EventName.SITE_KEY_CREATED if before is None else EventName.SITE_KEY_REPLACED
        was, is_now = (None if before is None else _seen(before)), _seen(key)
        if before is not None:
            is_now["overlap_until"] = clock.rfc3339(before.ends_at) if before.ends_at else None
        unit.record(name, _target(key), before=was, after=is_now)
    return Issued(key, new.token.text if isinstance(new, Minted) else "")


def end_overlap(*, actor: Actor) -> None:
    """Let the site key that was replaced die now; nothing changes where none is left. Raises DeniedError."""
    require_manage(actor)
    with work.unit(actor) as unit:
        instance.lock()
        unit.changes_rights()
        old = SiteKey.objects.filter(state=SiteKeyState.RETIRING).first()
        if old is not None:
            ends = clock.rfc3339(old.ends_at) if old.ends_at else None
            unit.record(EventName.SITE_KEY_OVERLAP_ENDED, _target(old), before={"overlap_until": ends})
            old.delete()


def set_demand(*, actor: Actor, demanded: bool) -> None:
    """Demand a site key of every request by key from now on, or no more, as far as the saved setting goes.

    To say what is so already changes nothing. Raises DeniedError, ConflictError (`no_site_key`).
    """
    require_manage(actor)
    with work.unit(actor) as unit:
        instance.lock()
        unit.changes_rights()
        key = _current()
        if key is None:
            if demanded:
                raise ConflictError(code="no_site_key")
            return
        if key.demanded != demanded:
            key.demanded = demanded
            key.save(update_fields=["demanded"])
            name = EventName.SITE_KEY_DEMANDED if demanded else EventName.SITE_KEY_DEMAND_ENDED
            unit.record(name, _target(key), before={"demanded": not demanded}, after={"demanded": demanded})


def revoke_site_key(*, actor: Actor) -> None:
    """Let the site key die now, and the one before it; nothing changes where there is none.

    Raises DeniedError, and ConflictError (`in_use`) while one is demanded: nobody could come in any more.
    """
    require_manage(actor)
    with work.unit(actor) as unit:
        instance.lock()
        unit.changes_rights()
        key = _current()
        if key is not None and (key.demanded or settings.ENV.require_site_key):
            text = (
                "A site key is demanded: without one every API key would be refused. Stop demanding it, or replace it."
            )
            raise ConflictError(text, code="in_use")
        if key is not None:
            unit.record(EventName.SITE_KEY_REVOKED, _target(key), before=_seen(key))
        SiteKey.objects.all().delete()


def confirm_secret(*, actor: Actor, token_id: str) -> None:
    """Note that the site key with this token id, shown on a page, was saved. Confirming it again changes nothing.

    Raises DeniedError, StaleError (there is another one by now).
    """
    require_manage(actor)
    with work.unit(actor) as unit:
        instance.lock()
        key = _current()
        if key is None or not token_id or key.token_id != token_id:
            raise StaleError
        if key.secret_confirmed_at is None:
            key.secret_confirmed_at = clock.now()
            key.save(update_fields=["secret_confirmed_at"])
            unit.record(EventName.SITE_KEY_SECRET_CONFIRMED, _target(key))


def forget_ended() -> int:
    """Remove a site key whose overlap has ended, so that a clock set back revives none; returns how many.

    No activity: the moment itself was known to everybody. But whoever remembers it must read anew.
    """
    with work.unit(SYSTEM) as unit:
        count, _ = SiteKey.objects.filter(ends_at__lte=clock.now()).delete()
        if count:
            unit.changes_rights()
    return count


def replace_verifier(pk: int, old: str, new: str) -> bool:
    """Store another verifier of the same site key, unless it has gone by now. No activity, no epoch, as for keys."""
    return SiteKey.objects.filter(pk=pk, verifier=old).update(verifier=new) == 1


def _current() -> SiteKey | None:
    return SiteKey.objects.filter(state=SiteKeyState.CURRENT).first()


def _retire(key: SiteKey, overlap: timedelta) -> None:
    """Make room for the next one: what was retiring goes, and this one too where nothing is left of it."""
    SiteKey.objects.filter(state=SiteKeyState.RETIRING).delete()
    if not overlap:
        SiteKey.objects.filter(pk=key.pk).delete()
        return
    key.state, key.demanded, key.ends_at = SiteKeyState.RETIRING, False, clock.now() + overlap
    key.save(force_update=True)


def _target(key: SiteKey) -> Target:
    return Target("site_key", key.pk, key.masked)


def _seen(key: SiteKey) -> dict[str, object]:
    """What the log says of a site key: never its verifier."""
    return {"token_id": key.token_id, "demanded": key.demanded}
