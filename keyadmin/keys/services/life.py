"""Keys paused, resumed, ended."""

from keyadmin.activity import work
from keyadmin.activity.events import EventName
from keyadmin.kernel import clock
from keyadmin.kernel.actor import SYSTEM, Actor
from keyadmin.kernel.errors import ConflictError
from keyadmin.keys import policy, rights
from keyadmin.keys.models import APIKey
from keyadmin.keys.services.common import chains_of, locked, refuse_revoked, save, snapshot, target_of


def pause_key(*, actor: Actor, key_id: int, expected_version: int | None = None) -> APIKey:
    """Stop the key for the time being. Pausing a paused key changes nothing. The brake never asks for a reason.

    Raises NotFoundError, DeniedError, StaleError, ConflictError (`key_revoked`).
    """
    with work.unit(actor) as unit:
        key = locked(key_id, expected_version, actor=actor)
        refuse_revoked(key)
        if key.paused_at is None:
            key.paused_at = clock.now()
            save(key)
            unit.record(EventName.API_KEY_PAUSED, target_of(key), organizations=chains_of(key))
        unit.changes_rights()
    return key


def resume_key(*, actor: Actor, key_id: int, expected_version: int | None = None) -> APIKey:
    """Let a paused key work again. Needs all rights of the key.

    Raises NotFoundError, DeniedError, StaleError, ConflictError (`key_revoked`, `key_not_paused`).
    """
    with work.unit(actor) as unit:
        key = locked(key_id, expected_version, actor=actor)
        refuse_revoked(key)
        if key.paused_at is None:
            raise ConflictError(code="key_not_paused")
        rights.require_holds_all(actor, key)
        key.paused_at = None
        save(key)
        unit.changes_rights()
        unit.record(EventName.API_KEY_RESUMED, target_of(key), organizations=chains_of(key))
    return key


def revoke_key(*, actor: Actor, key_id: int, expected_version: int | None = None) -> APIKey:
    """Stop the key for good and erase its verifier; the record stays. Revoking a revoked key changes nothing.

    Raises NotFoundError, DeniedError, StaleError, InvalidError (no reason where one is demanded).
    """
    with work.unit(actor) as unit:
        key = locked(key_id, expected_version, actor=actor)
        if key.revoked_at is None:
            policy.check_reason(policy.demands_on(key.organization_id, key.owner), actor)
            key.revoked_at, key.verifier = clock.now(), ""
            save(key)
            unit.record(EventName.API_KEY_REVOKED, target_of(key), organizations=chains_of(key))
        unit.changes_rights()
    return key


def delete_key(*, actor: Actor, key_id: int, expected_version: int | None = None) -> None:
    """Stop the key for good and remove its record; the activity log keeps the story.

    Raises NotFoundError, DeniedError, StaleError, InvalidError (no reason where one is demanded).
    """
    with work.unit(actor) as unit:
        key = locked(key_id, expected_version, actor=actor)
        policy.check_reason(policy.demands_on(key.organization_id, key.owner), actor)
        unit.record(EventName.API_KEY_DELETED, target_of(key), organizations=chains_of(key), before=snapshot(key))
        unit.changes_rights()
        key.delete()


def stamp_expired() -> int:
    """Note which keys were seen to have expired, so that a clock set back revives none; returns how many.

    No activity: the moment itself was known to everybody. But whoever remembers a key must read the stamp.
    """
    now = clock.now()
    with work.unit(SYSTEM) as unit:
        count = APIKey.objects.filter(expires_at__lte=now, expired_seen_at=None).update(expired_seen_at=now)
        if count:
            unit.changes_rights()
    return count
