"""What can be done to a key in its state, for menus, buttons and banners; what would be refused is not offered."""

from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Organization
from keyadmin.keys.models import APIKey, KeyBlock
from keyadmin.keys.rights import Permitted
from keyadmin.keys.status import Status
from keyadmin.keys.views.story import Step
from keyadmin.web import words
from keyadmin.web.templatetags import kit

Act = dict[str, Any]


def act_on(key: APIKey, slug: str, label: str, route: str, icon: str = "", **more: Any) -> Act:
    """One act as components/menu.html takes it."""
    return {"label": label, "url": reverse(route, args=[slug, key.pk]), "icon": icon, **more}


def acts_on(key: APIKey, organization: Organization, permitted: Permitted, *, blocked: bool = False) -> list[Act]:
    """The items of a key's menu; an act that the person may not do at all is absent.

    `blocked`: whether the organisation has blocked it.
    """
    slug = organization.slug
    items = [
        act_on(key, slug, "View", "key", "eye"),
        {"label": "Copy key ID", "clip": str(key.pk), "copied": "Key ID copied."},
    ]
    blocking = _blocking(key, organization, permitted, blocked=blocked)
    if key.pk not in permitted.managed:
        return items + blocking
    status, givable = key.status, key.pk in permitted.givable
    if status is Status.REVOKED:
        items.append({"why": "Revoked for good: it can't be changed or used again."})
    else:
        items.append(act_on(key, slug, "Edit", "key_edit", "pencil", modal=True))
        if givable:
            items.append(act_on(key, slug, "Regenerate Key…", "key_regenerate", "refresh", modal=True))
        if status is Status.EXPIRED:
            items.append({"why": "Expired keys need a new expiry date: edit or regenerate."})
        elif key.paused_at is None:
            items.append(act_on(key, slug, "Pause", "key_pause", "pause", post=True))
        elif givable:
            items.append(act_on(key, slug, "Resume", "key_resume", "play", post=True))
        items += blocking
        items.append(act_on(key, slug, "Revoke…", "key_revoke", "slash", danger=True, modal=True))
    return [*items, act_on(key, slug, "Delete…", "key_delete", "trash", danger=True, modal=True)]


def _blocking(key: APIKey, organization: Organization, permitted: Permitted, *, blocked: bool) -> list[Act]:
    if key.status is Status.REVOKED:
        return []
    if blocked:
        return [unblock(key, organization)] if key.pk in permitted.unblockable else []
    label = f"Block in {organization.name}…"
    block = act_on(key, organization.slug, label, "key_block", "slash", danger=True, modal=True)
    return [block] if key.pk in permitted.blockable else []


def unblock(key: APIKey, organization: Organization) -> Act:
    """The act that lets a blocked key work again."""
    return act_on(key, organization.slug, "Unblock", "key_unblock", "play", post=True)


@dataclass(frozen=True)
class Banner:
    """What the state of a key means, and the acts that help."""

    tone: str
    symbol: str
    strong: str
    text: str | SafeString
    acts: list[Act] = field(default_factory=list)


def banners(
    key: APIKey,
    organization: Organization,
    steps: list[Step],
    permitted: Permitted,
    block: KeyBlock | None = None,
    elsewhere: str = "",
) -> list[Banner]:
    """What stands above the page of a key; acts only where the person may do them.

    `elsewhere`: where else it works, in words.
    """
    slug = organization.slug
    regenerate = act_on(key, slug, "Regenerate", "key_regenerate", modal=True)
    saved = act_on(key, slug, "I have it", "key_saved", post=True, sent={"token_id": key.token_id, "stay": "1"})
    extend = act_on(key, slug, "Extend", "key_edit", modal=True)
    resume = act_on(key, slug, "Resume", "key_resume", post=True)
    found: list[Banner] = []
    text: str | SafeString

    def say(tone: str, symbol: str, strong: str, text: str | SafeString, *acts: Act) -> None:
        found.append(Banner(tone, symbol, strong, text, list(acts) if key.pk in permitted.givable else []))

    status, ends = key.status, key.expires_at
    if status is Status.REVOKED:
        found.append(Banner("off", "slash", "Revoked for good.", _revoked(key, steps)))
    elif status is Status.EXPIRED and ends is not None:
        text = format_html("It stopped working {} ({}).", kit.ago(ends), words.to_the_minute(ends))
        say("bad", "x-octagon", "Expired.", text, regenerate, {**extend, "label": "Extend expiry"})
    elif status is Status.PAUSED and key.paused_at is not None:
        when = words.to_the_minute(key.paused_at)
        text = format_html("{} ({}). Requests with it get 401 until it is resumed.", kit.ago(key.paused_at), when)
        say("warn", "pause", "Paused", text, resume)
    elif status is Status.EXPIRING_SOON and ends is not None:
        text = format_html("{} ({}).", kit.ago(ends), words.to_the_minute(ends))
        say("warn", "hourglass", "Expires", text, extend)
    if block is not None and status is not Status.REVOKED:
        acts = [unblock(key, organization)] if key.pk in permitted.unblockable else []
        found.append(Banner("warn", "slash", f"Blocked in {organization.name}.", _blocked(block, elsewhere), acts))
    if key.secret_confirmed_at is None and status is not Status.REVOKED:
        text = "It was shown once, and nobody said that it was saved. If nobody has it, regenerate the key."
        say("warn", "warning", "Secret not confirmed.", text, saved, regenerate)
    if key.owner is not None and not key.owner.is_active and status is not Status.REVOKED:
        found.append(Banner("warn", "user", "Owner disabled.", "Until they are enabled, requests with it get 401."))
    return found


def _blocked(block: KeyBlock, elsewhere: str) -> SafeString:
    """By whom, when and why, and what it means."""
    why = format_html(" Reason: <bdi>{}</bdi>.", block.reason.rstrip(".")) if block.reason else ""
    still = format_html(" It still works {}.", elsewhere) if elsewhere else ""
    text = "By <bdi>{}</bdi>, {}.{} Requests for this organisation get 403.{}"
    return format_html(text, block.blocked_by_label, kit.ago(block.blocked_at), why, still)


def _revoked(key: APIKey, steps: list[Step]) -> SafeString:
    """When, by whom and why, as the log has it."""
    step = next((step for step in steps if step.name == "api_key.revoked"), None)
    when = kit.ago(key.revoked_at)
    if step is None:
        return format_html("It stopped working {}.", when)
    why = format_html(" Reason: <bdi>{}</bdi>", step.reason) if step.reason else ""
    return format_html("It was stopped {} by <bdi>{}</bdi>.{}", when, step.actor, why)
