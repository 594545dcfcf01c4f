"""Every part of the kit on one page, for tests alone: made-up keys, no rows of the database.

`ROOT_URLCONF` of the tests that look at it; the product never loads this file.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import include, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2 import Column

from accounts import queries
from keyadmin.kernel import clock
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.forms import KitForm
from keyadmin.web.htmx import UNPROCESSABLE, done, go_to, render_page, render_sheet, secret
from keyadmin.web.lists import Chip, Noun, paginate
from keyadmin.web.navigation import Crumb, Organization, Place, set_place
from keyadmin.web.tables import KitTable, look
from keyadmin.web.templatetags import kit

TEMPLATES = Path(__file__).parent / "templates"
NOUN = Noun("API key", "API keys")
SECRET = "ka_live_8f3kQ2mZp0XaTq1vR9sLw3NcYb5uHd0EoPkMx4JgAz6BfWi2V9t0wQe"
NOW = clock.now()
PRESETS = [("30", "30 days"), ("90", "90 days"), ("never", "No expiry")]


class Row(NamedTuple):
    """One made-up key."""

    id: int
    name: str
    description: str
    masked: str
    status: str
    used: int | None  # minutes ago
    expires: int | None  # days from now
    flairs: tuple[str, ...] = ()


ROWS = [
    Row(1, "Ansible provisioning", "Provisioning server", "ka_live_8f3kQ2mZp0Xa...9t0w", "active", 4, 83),
    Row(2, "Billing sync", "Nightly export", "ka_live_Q9xv7Lr2TbNd...u3Zk", "expiring_soon", 360, 3, ("bulk",)),
    Row(3, "Customer portal backend", "", "ka_live_m4WcY81hEoPs...0aRf", "active", 0, 160, ("segment",)),
    Row(4, "Grafana", "Dashboards", "ka_live_T7jD0uBq5sVx...Kp2d", "active", 1, None, ("Admin", "No expiry", "a", "b")),
    Row(5, "Warehouse scanners", "42 hand-held devices", "ka_live_zE6nF3gKa9Wi...7QbL", "paused", 17280, 100),
    Row(6, "Legacy CSV import", "", "ka_live_b1HtR5yUc8Jo...xx4T", "expired", 120, -3),
    Row(7, "x" * 80, "<b>markup</b> is text", "ka_test_c2HtR5yUc8Jo...yy4T", "revoked", None, None),
]


class KeyTable(KitTable):
    """As the key list has it."""

    caption = "API keys"
    name = Column()
    key = Column(verbose_name="API key", accessor="masked", orderable=False, attrs=look(wide="md"))
    status = Column(attrs=look(fit=True))
    last_used = Column(accessor="used", empty_values=(), attrs=look(label=True))
    expiry_date = Column(accessor="expires", empty_values=(), attrs=look(label=True))
    acts = Column(verbose_name="Actions", accessor="id", orderable=False, attrs=look(silent=True, fit=True))

    def render_name(self, record: Row) -> SafeString:
        below = format_html(' <span class="ka-sub">{}</span>', record.description) if record.description else ""
        return format_html('<a href="#">{}</a>{}{}', record.name, kit.tags(record.flairs), below)

    def render_key(self, value: str) -> SafeString:
        return kit.masked(value)

    def render_status(self, value: str) -> SafeString:
        return kit.status_badge(value)

    def render_last_used(self, record: Row) -> SafeString:
        return kit.ago(None if record.used is None else NOW - timedelta(minutes=record.used))

    def render_expiry_date(self, record: Row) -> SafeString:
        return kit.expiry(None if record.expires is None else NOW + timedelta(days=record.expires, hours=1))

    def render_acts(self, record: Row) -> SafeString:
        items = [
            {"label": "View", "url": "#", "icon": "eye"},
            {"label": "Edit", "url": "/form/", "icon": "pencil", "modal": True},
            {"label": "Copy key ID", "clip": str(record.id), "copied": "Key ID copied."},
            {"why": "Expired keys cannot be paused."},
            {"label": "Revoke…", "url": "/confirm/", "icon": "slash", "danger": True, "modal": True},
            {"label": "Delete…", "url": "/confirm/", "icon": "trash", "danger": True, "modal": True},
        ]
        context = {"id": f"acts-{record.id}", "name": record.name, "items": items}
        return SafeString(render_to_string("components/menu.html", context, self.request))


class FilterForm(forms.Form):
    """The fields of a filter bar."""

    search = forms.CharField(
        label="Search by name, description, or partial key",
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name, description or partial key"}),
    )
    status = forms.ChoiceField(choices=[("", "Not revoked"), ("active", "Active Only")], required=False)
    owner = forms.CharField(required=False)
    created = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))


class Filters(NamedTuple):
    """What a filterset is to its bar."""

    form: FilterForm


class KeyForm(KitForm):
    """One field of each sort."""

    name = forms.CharField(max_length=80, help_text="For example: Provisioning System. Used in audit logs.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    expiry = forms.ChoiceField(label="Expiry date", choices=PRESETS, widget=forms.RadioSelect)
    belongs = forms.ChoiceField(label="Belongs to", choices=[("org", "The organisation"), ("user", "A user")])
    until = forms.DateField(required=False, label="Custom date", widget=forms.DateInput(attrs={"type": "date"}))
    understood = forms.BooleanField(label="I need an admin key")


class ConfirmForm(KitForm):
    """A name to type."""

    name = forms.CharField(label="Type Billing sync to confirm")


def place(request: HttpRequest) -> None:
    """The rail and the switcher, as the product fills them."""
    rows = queries.visible_organizations(actor_of(request))
    every = [Organization(row.pk, row.slug, row.name) for row in rows]
    set_place(request, Place(every[0], every))


@signed_in
def sink(request: HttpRequest, slug: str = "") -> HttpResponse:
    place(request)
    if request.GET.get("message"):
        messages.success(request, "Key Billing sync revoked. Requests with it now get 401.")
    rows = [] if request.GET.get("search") else ROWS * (20 if request.GET.get("many") else 1)
    table = KeyTable(rows, order_by="expiry_date")
    table.request = request
    paginate(request, table)
    filters = Filters(FilterForm(request.GET))
    wanted = request.GET.get("status") or request.GET.get("search")
    context: dict[str, Any] = {
        "filterset": filters,
        "table": table,
        "noun": NOUN,
        "total": len(rows),
        "list_title": "Kitchen sink",
        "chips": [Chip("Status", "Active Only", "/"), Chip("Created by", "Dana", "/")] if wanted else [],
        "crumbs": [Crumb("API keys", "/o/acme/keys/"), Crumb("Kitchen sink")],
        "unused": "unused.html",
        "form": KeyForm(auto_id="second_%s"),
        "soon": NOW + timedelta(days=12),
    }
    return render_page(request, "sink.html", "components/results.html", context)


@signed_in
def form(request: HttpRequest) -> HttpResponse:
    place(request)
    bound = KeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and bound.is_valid():
        context = {"secret": SECRET, "sheet_title": "Copy your API key", "no_close": True, "after": "/"}
        return secret(render_sheet(request, "reveal.html", context))
    status = UNPROCESSABLE if bound.errors else 200
    return render_sheet(request, "form.html", {"form": bound, "sheet_title": "Create API key"}, status=status)


@signed_in
def confirm(request: HttpRequest) -> HttpResponse:
    place(request)
    bound = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and bound.is_valid():
        return done("keys-changed") if request.headers.get("HX-Request") else go_to(request, "/")
    context = {
        "form": bound,
        "confirm_field": bound["name"],
        "sheet_title": "Revoke Billing sync?",
        "consequences": [
            "All requests with this key get 401 at once. 2 addresses used it in the last 24 hours.",
            "This cannot be undone.",
        ],
    }
    return render_sheet(request, "confirm.html", context, status=UNPROCESSABLE if bound.errors else 200)


def fail(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=500)


urlpatterns = [
    path("o/<slug:slug>/", sink, name="overview"),
    path("o/<slug:slug>/keys/", sink, name="keys"),
    path("o/<slug:slug>/activity/", sink, name="activity"),
    path("form/", form),
    path("confirm/", confirm),
    path("fail/", fail),
    path("", include("keyadmin.urls")),
]
OVERRIDES = {
    "ROOT_URLCONF": __name__,
    "TEMPLATES": [{**settings.TEMPLATES[0], "DIRS": [settings.BASE_DIR / "templates", TEMPLATES]}],
}
