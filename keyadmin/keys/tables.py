"""The key list as a table."""

from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2 import Column

from keyadmin.keys.models import APIKey
from keyadmin.keys.views.acts import acts_on
from keyadmin.web.auth import actor_of
from keyadmin.web.tables import KitTable, look
from keyadmin.web.templatetags import kit


class KeyTable(KitTable):
    """Columns are called as the filterset's sorts are."""

    caption = "API keys"
    name = Column(verbose_name="Name")
    key = Column(verbose_name="API key", accessor="masked", orderable=False, attrs=look(wide="md"))
    status = Column(verbose_name="Status", accessor="status", attrs=look(fit=True))
    created_by = Column(verbose_name="Created by", accessor="created_by_label", attrs=look(wide="md", phone=False))
    created = Column(verbose_name="Created date", accessor="created_at", attrs=look(wide="xl", phone=False))
    expiry_date = Column(verbose_name="Expiry date", accessor="expires_at", empty_values=(), attrs=look(label=True))
    acts = Column(verbose_name="Actions", accessor="pk", orderable=False, attrs=look(silent=True, fit=True))

    def render_name(self, record: APIKey) -> SafeString:
        below = format_html('<span class="ka-sub">{}</span>', record.description) if record.description else ""
        name = '<a href="{}" id="key-{}-name"><bdi>{}</bdi></a>'
        link = format_html(name, self._address(record), record.pk, record.name)
        return format_html("{}{}{}", link, kit.tags(tags_of(record)), below)

    def render_key(self, value: str) -> SafeString:
        return kit.masked(value)

    def render_status(self, record: APIKey) -> SafeString:
        return kit.status_badge(record.status)

    def render_created(self, record: APIKey) -> SafeString:
        return kit.day(record.created_at)

    def render_expiry_date(self, record: APIKey) -> SafeString:
        return kit.expiry(record.expires_at)

    def render_acts(self, record: APIKey) -> SafeString:
        context: dict[str, Any] = {
            "id": f"acts-{record.pk}",
            "name": record.name,
            "items": acts_on(record, actor_of(self.request), self.request.organization.slug),
        }
        return SafeString(render_to_string("components/menu.html", context, self.request))

    def _address(self, record: APIKey) -> str:
        return reverse("key", args=[self.request.organization.slug, record.pk])


def tags_of(key: APIKey) -> list[str]:
    """What stands beside a key's name: its flairs, and what an administrator should see at a glance."""
    found = list(key.flairs)
    if key.permissions == ["*"]:
        found.append("Admin")
    if key.environment == "test":
        found.append("Test")
    if key.owner is not None and not key.owner.is_active:
        found.append("Owner disabled")
    return found
