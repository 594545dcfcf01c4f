"""A person's key blocked by an organisation for itself."""

from accounts.models import Organization
from keyadmin.activity import work
from keyadmin.activity.events import EventName
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.keys import queries, rights
from keyadmin.keys.models import APIKey, KeyBlock
from keyadmin.keys.services.common import locked_as_seen, target_of


def block_key(*, actor: Actor, key_id: int, organization: Organization, expected_version: int | None = None) -> APIKey:
    """Let a person's key do nothing more in this organisation; elsewhere it works as before.

    Blocking a blocked key changes nothing. The version stays: other organisations learn nothing of it. A brake,
    like pausing: it never asks for a reason.
    Raises NotFoundError, DeniedError, InvalidError (a key of another kind), StaleError.
    """
    with work.unit(actor) as unit:
        key = _locked_to_block(actor, key_id, organization, expected_version)
        unit.changes_rights()
        _, new = KeyBlock.objects.get_or_create(
            key=key,
            organization=organization,
            defaults={"blocked_at": clock.now(), "blocked_by_label": actor.label, "reason": actor.reason},
        )
        if new:
            unit.record(EventName.API_KEY_BLOCKED, target_of(key), organizations=[organization.pk])
    return key


def unblock_key(
    *, actor: Actor, key_id: int, organization: Organization, expected_version: int | None = None
) -> APIKey:
    """Let a blocked key work again in this organisation. Unblocking one that is not blocked changes nothing.

    Needs all that the key gives there.
    Raises NotFoundError, DeniedError, InvalidError (a key of another kind), StaleError.
    """
    with work.unit(actor) as unit:
        key = _locked_to_block(actor, key_id, organization, expected_version)
        rights.require_holds_in(actor, key, organization.pk)
        unit.changes_rights()
        removed, _ = KeyBlock.objects.filter(key=key, organization=organization).delete()
        if removed:
            unit.record(EventName.API_KEY_UNBLOCKED, target_of(key), organizations=[organization.pk])
    return key


def _locked_to_block(actor: Actor, key_id: int, organization: Organization, expected_version: int | None) -> APIKey:
    """The same for whoever may block it in the organisation."""
    rights.require_block(actor, queries.visible_key(actor, key_id), organization)
    return locked_as_seen(key_id, expected_version, actor=actor)
