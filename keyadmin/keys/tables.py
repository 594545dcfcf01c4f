"""The key list as a table."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2 import Column

from accounts.models import Organization
from keyadmin.kernel import clock
from keyadmin.keys import queries, rights
from keyadmin.keys.models import APIKey, KeyKind
from keyadmin.keys.views.acts import acts_on
from keyadmin.web.auth import actor_of
from keyadmin.web.tables import ALPHABET, OLDEST, SOONEST, KitTable, look
from keyadmin.web.templatetags import kit

LONGEST_AGO = ("longest ago first", "latest first")
NEW_FOR = timedelta(minutes=2)
SHOWN_HOMES = 4


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
    last_used = Column(
        verbose_name="Last used",
        accessor="last_used",
        empty_values=(),
        attrs=look(wide="xl", label=True, order=LONGEST_AGO),
    )
    created = Column(
        verbose_name="Created date",
        accessor="created_at",
        attrs=look(wide="xxl", phone=False, order=OLDEST),
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
        """Ask once for all rows of the page what the person may do, and which of them are blocked here."""
        keys = [row.record for row in self.paginated_rows]
        self.permitted = rights.permitted(actor_of(request), keys)
        self.blocked = {key for key, _ in queries.blocks(keys, [request.organization.pk])}  # type: ignore[attr-defined]

    def is_new(self, key: APIKey) -> bool:
        """Whether the person who looks made it a moment ago."""
        mine = key.created_by_id is not None and key.created_by_id == actor_of(self.request).user_id
        return mine and clock.now() - key.created_at < NEW_FOR

    def render_name(self, record: APIKey) -> SafeString:
        whose = format_html("of <bdi>{}</bdi>", self.owner_of(record)) if self.owner_of(record) else ""
        said = format_html_join(" · ", "{}", ((one,) for one in (whose, record.description) if one))
        below = format_html('<span class="ka-sub">{}</span>', said) if said else ""
        url = self.address_of(record)
        name = '<a href="{}" id="key-{}-name"><bdi>{}</bdi></a>' if url else '{}<bdi id="key-{}-name">{}</bdi>'
        link = format_html(name, url, record.pk, record.name)
        names = tags_of(record)
        names = ["New", *names] if self.is_new(record) else names
        return format_html("{}{}{}", link, kit.tags(names, 3), below)

    def render_key(self, value: str) -> SafeString:
        return kit.masked(value)

    def render_status(self, record: APIKey) -> SafeString:
        return kit.status_badge(record.status) + kit.tags(queries.stops_of(record, self.blocked_in(record)))

    def render_created(self, record: APIKey) -> SafeString:
        return kit.day(record.created_at)

    def render_expiry_date(self, record: APIKey) -> SafeString:
        return kit.day(record.expires_at) if record.revoked_at else kit.expiry(record.expires_at)

    def render_last_used(self, record: APIKey) -> SafeString | str:
        return kit.ago(record.last_used) if record.last_used else "Never"

    def render_acts(self, record: APIKey) -> SafeString:
        context: dict[str, Any] = {
            "id": f"acts-{record.pk}",
            "name": record.name,
            "in_list": True,
            "items": acts_on(record, self.request.organization, self.permitted, blocked=bool(self.blocked_in(record))),
        }
        return SafeString(render_to_string("components/menu.html", context, self.request))

    def owner_of(self, key: APIKey) -> str:
        """The name of the user whose key it is, where the list holds keys of several."""
        return key.owner.name if key.owner else ""

    def blocked_in(self, key: APIKey) -> str:
        """The name of the organisation, if it has blocked the key."""
        return str(self.request.organization.name) if key.pk in self.blocked else ""

    def address_of(self, record: APIKey) -> str:
        """The page of the key; nothing where the person may not look at it."""
        return reverse("key", args=[self.request.organization.slug, record.pk])


class OwnKeyTable(KeyTable):
    """A person's own keys, with the organisations that they work in.

    `homes` are those that the person is in, `shown` the ids of those where they may look at their keys.
    """

    caption = "Your API keys"
    works_in = Column(verbose_name="Works in", accessor="pk", orderable=False, attrs=look(label=True))
    created_by = acts = None

    class Meta(KeyTable.Meta):
        sequence = ("name", "key", "status", "works_in", "...")

    def __init__(self, *args: Any, homes: Iterable[Organization], shown: Collection[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.homes, self.shown = list(homes), shown

    def before_render(self, request: HttpRequest) -> None:
        keys = [row.record for row in self.paginated_rows]
        self.blocks = queries.blocks(keys, [home.pk for home in self.homes])

    def owner_of(self, key: APIKey) -> str:
        return ""

    def blocked_in(self, key: APIKey) -> str:
        return ""  # said beside each organisation

    def address_of(self, record: APIKey) -> str:
        home = next((home for home in self.homes if home.pk in self.shown), None)
        return reverse("key", args=[home.slug, record.pk]) if home else ""

    def render_works_in(self, record: APIKey) -> SafeString | str:
        if record.revoked_at is not None or not self.homes:
            return "Nowhere"
        homes = sorted(self.homes, key=lambda home: (record.pk, home.pk) not in self.blocks)
        found = [self._home(record, home) for home in homes[:SHOWN_HOMES]]
        if len(homes) > SHOWN_HOMES:
            found.append(format_html('<span class="ka-sub">and {} more</span>', len(homes) - SHOWN_HOMES))
        return format_html_join("", "{}", ((one,) for one in found))

    def _home(self, key: APIKey, home: Organization) -> SafeString:
        name = format_html("<bdi>{}</bdi>", home.name)
        if home.pk in self.shown:
            name = format_html('<a href="{}">{}</a>', reverse("key", args=[home.slug, key.pk]), name)
        blocked = kit.tags([kit.BLOCKED]) if (key.pk, home.pk) in self.blocks else ""
        return format_html('<span class="ka-block">{}{}</span>', name, blocked)


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
    return [*found, *key.flairs]
