"""The key list as a table."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2 import Column

from keyadmin.kernel import clock
from keyadmin.keys import rights
from keyadmin.keys.models import APIKey, KeyKind
from keyadmin.keys.views.acts import acts_on
from keyadmin.web.auth import actor_of
from keyadmin.web.tables import ALPHABET, OLDEST, SOONEST, KitTable, look
from keyadmin.web.templatetags import kit

NEW_FOR = timedelta(minutes=2)


class KeyTable(KitTable):
    """Columns are called as the filterset's sorts are."""

    caption = "API keys"
    name = Column(verbose_name="Name", attrs=look(order=ALPHABET))
    key = Column(verbose_name="API key", accessor="masked", orderable=False, attrs=look(wide="md"))
    status = Column(verbose_name="Status", accessor="status", attrs=look(fit=True, order=ALPHABET))
    created_by = Column(
        verbose_name="Created by",
        accessor="created_by_label",
        attrs=look(wide="lg", phone=False, order=ALPHABET),
    )
    created = Column(
        verbose_name="Created date",
        accessor="created_at",
        attrs=look(wide="xl", phone=False, order=OLDEST),
    )
    expiry_date = Column(
        verbose_name="Expiry date",
        accessor="expires_at",
        empty_values=(),
        attrs=look(label=True, order=SOONEST),
    )
    acts = Column(verbose_name="Actions", accessor="pk", orderable=False, attrs=look(silent=True, fit=True))

    class Meta:
        row_attrs = {"class": lambda record, table: "ka-new" if table.is_new(record) else ""}

    def before_render(self, request: HttpRequest) -> None:
        """Ask once for all rows of the page what the person may do."""
        self.permitted = rights.permitted(actor_of(request), [row.record for row in self.paginated_rows])

    def is_new(self, key: APIKey) -> bool:
        """Whether the person who looks made it a moment ago."""
        mine = key.created_by_id is not None and key.created_by_id == actor_of(self.request).user_id
        return mine and clock.now() - key.created_at < NEW_FOR

    def render_name(self, record: APIKey) -> SafeString:
        below = format_html('<span class="ka-sub">{}</span>', record.description) if record.description else ""
        name = '<a href="{}" id="key-{}-name"><bdi>{}</bdi></a>'
        link = format_html(name, self._address(record), record.pk, record.name)
        names = ["New", *tags_of(record)] if self.is_new(record) else tags_of(record)
        return format_html("{}{}{}", link, kit.tags(names, 3), below)

    def render_key(self, value: str) -> SafeString:
        return kit.masked(value)

    def render_status(self, record: APIKey) -> SafeString:
        return kit.status_badge(record.status)

    def render_created(self, record: APIKey) -> SafeString:
        return kit.day(record.created_at)

    def render_expiry_date(self, record: APIKey) -> SafeString:
        return kit.day(record.expires_at) if record.revoked_at else kit.expiry(record.expires_at)

    def render_acts(self, record: APIKey) -> SafeString:
        context: dict[str, Any] = {
            "id": f"acts-{record.pk}",
            "name": record.name,
            "in_list": True,
            "items": acts_on(record, self.request.organization.slug, self.permitted),
        }
        return SafeString(render_to_string("components/menu.html", context, self.request))

    def _address(self, record: APIKey) -> str:
        return reverse("key", args=[self.request.organization.slug, record.pk])


def tags_of(key: APIKey) -> list[str]:
    """What stands beside a key's name: its flairs, and what an administrator should see at a glance."""
    found = []
    if key.secret_confirmed_at is None and key.revoked_at is None:
        found.append("Secret not confirmed")
    if key.is_weak and key.revoked_at is None:
        found.append("Weak secret")
    if key.kind == KeyKind.ORGANIZATION and "*" in (key.permissions or ()):
        found.append("Admin")
    if key.environment == "test":
        found.append("Test")
    if key.owner is not None and not key.owner.is_active:
        found.append("Owner disabled")
    return [*found, *key.flairs]
