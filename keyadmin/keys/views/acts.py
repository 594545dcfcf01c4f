"""What can be done to a key in its state, for menus and buttons. Whether it may be done the service decides."""

from typing import Any

from django.urls import reverse

from keyadmin.kernel.actor import Actor
from keyadmin.keys import rights
from keyadmin.keys.models import APIKey
from keyadmin.keys.status import Status


def acts_on(key: APIKey, actor: Actor, slug: str) -> list[dict[str, Any]]:
    """The items of a key's menu; an act that this actor may not do at all is absent."""

    def act(label: str, route: str, icon: str, **more: Any) -> dict[str, Any]:
        return {"label": label, "url": reverse(route, args=[slug, key.pk]), "icon": icon, **more}

    items = [
        act("View", "key", "eye"),
        {"label": "Copy key ID", "clip": str(key.pk), "copied": "Key ID copied."},
    ]
    if not rights.may_manage(actor, key):
        return items
    if key.status is not Status.REVOKED:
        paused = key.paused_at is not None
        items += [
            act("Edit", "key_edit", "pencil", modal=True),
            act("Regenerate Key…", "key_regenerate", "refresh", modal=True),
            act("Resume", "key_resume", "play", post=True) if paused else act("Pause", "key_pause", "pause", post=True),
            act("Revoke…", "key_revoke", "slash", danger=True, modal=True),
        ]
    return [*items, act("Delete…", "key_delete", "trash", danger=True, modal=True)]
