"""The filters and the order of the key list, the same for page and API."""

from datetime import UTC, date, datetime, time
from typing import Any

import django_filters
from django import forms
from django.db.models import F, QuerySet
from django.db.models.functions import Lower

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.keys import queries
from keyadmin.keys.models import APIKey
from keyadmin.keys.status import FILTERS, status_sql

DEFAULT_STATUS, DEFAULT_SORT = "not_revoked", "-created"

STATUS_LABELS = {
    "not_revoked": "Not revoked",
    "all": "All Keys",
    "active": "Active Only",
    "expiring_soon": "Expiring Soon (next 30 days)",
    "expired": "Expired",
    "paused": "Paused",
    "revoked": "Revoked",
}
SEARCH_LABEL = "Search by name, description, or partial key"

SORTS: dict[str, F | Lower] = {
    "name": Lower("name"),
    "status": F("status_now"),
    "created": F("created_at"),
    "created_by": Lower("created_by_label"),
    "expiry_date": F("expires_at"),
    "last_used": F("use__time"),
}
USED = {
    "never": "Never used",
    "7d": "In the last 7 days",
    "30d": "In the last 30 days",
    "not_30d": "Not for 30 days",
    "not_90d": "Not for 90 days",
}
SORT_NAMES = tuple(sign + name for name in SORTS for sign in ("", "-"))


class KeyFilter(django_filters.FilterSet):
    """search, status, kind, environment, owner, used, sort. What has no date comes last in both directions of sort."""

    search = django_filters.CharFilter(
        method="by_search",
        label=SEARCH_LABEL,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name, description or partial key"}),
    )
    status = django_filters.ChoiceFilter(
        method="by_status",
        label="Status",
        empty_label=STATUS_LABELS[DEFAULT_STATUS],
        choices=[(name, STATUS_LABELS[name]) for name in FILTERS],
    )
    kind = django_filters.ChoiceFilter(
        label="Belongs to", empty_label="Anybody", choices=[("organization", "The organisation"), ("user", "A user")]
    )
    environment = django_filters.ChoiceFilter(
        label="Environment", empty_label="Live and test", choices=[("live", "Live"), ("test", "Test")]
    )
    owner = django_filters.NumberFilter(field_name="owner_id", label="User")
    used = django_filters.ChoiceFilter(
        method="by_use", label="Last used", empty_label="Any time", choices=list(USED.items())
    )
    sort = django_filters.ChoiceFilter(method="by_sort", choices=[(name, name) for name in SORT_NAMES])

    class Meta:
        model = APIKey
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[APIKey]) -> QuerySet[APIKey]:
        rows: QuerySet[Any] = queryset.annotate(status_now=status_sql(clock.now()))
        if not self.form.cleaned_data.get("status"):
            rows = self.by_status(rows, "status", DEFAULT_STATUS)
        if not self.form.cleaned_data.get("sort"):
            rows = self.by_sort(rows, "sort", DEFAULT_SORT)
        filtered: QuerySet[APIKey] = super().filter_queryset(rows)
        return filtered

    def by_search(self, rows: QuerySet[APIKey], name: str, value: str) -> QuerySet[APIKey]:
        return rows.filter(queries.matching(value))

    def by_status(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(status_now__in=[status.value for status in FILTERS[value]])

    def by_use(self, rows: QuerySet[APIKey], name: str, value: str) -> QuerySet[APIKey]:
        return rows.filter(queries.used(value))

    def by_sort(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        order = SORTS[value.lstrip("-")]
        ordered = order.desc(nulls_last=True) if value.startswith("-") else order.asc(nulls_last=True)
        return rows.order_by(ordered, "-pk")


def _day(field: str, label: str, *, ends: bool = False) -> django_filters.DateFilter:
    """From the beginning of a day, or until its end, in UTC."""

    def by_day(rows: QuerySet[APIKey], name: str, day: date) -> QuerySet[APIKey]:
        edge = datetime.combine(day, time.max if ends else time.min, UTC)
        return rows.filter(**{f"{field}__{'lte' if ends else 'gte'}": edge})

    return django_filters.DateFilter(method=by_day, label=label, widget=forms.DateInput(attrs={"type": "date"}))


def _yes_or_no(method: str, label: str, yes: str, no: str) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        method=method, label=label, empty_label="Any", choices=[("yes", yes), ("no", no)]
    )


class KeyListFilter(KeyFilter):
    """What the page can filter by besides. Its choices are those that find something for this person."""

    owner = django_filters.ChoiceFilter(field_name="owner_id", label="User", empty_label="Any")
    created_by = django_filters.ChoiceFilter(field_name="created_by_label", label="Created by", empty_label="Anybody")
    can = django_filters.ChoiceFilter(method="by_permission", label="Can do now", empty_label="Anything")
    admin = _yes_or_no("by_admin", "Admin key", "Admin keys", "Other keys")
    restricted = _yes_or_no("by_networks", "Allowed from", "Some networks only", "Anywhere")
    expires = _yes_or_no("by_expiry", "Expires", "Has an expiry date", "Never")
    flair = django_filters.CharFilter(
        method="by_flair", label="Flair", max_length=80, widget=forms.TextInput(attrs={"placeholder": "bulk"})
    )
    expires_from = _day("expires_at", "Expires from")
    expires_to = _day("expires_at", "Expires until", ends=True)
    created_from = _day("created_at", "Created from")
    created_to = _day("created_at", "Created until", ends=True)

    def __init__(self, data: Any, rows: QuerySet[APIKey], *, actor: Actor, organization: Organization) -> None:
        super().__init__(data, rows)
        self.organization = organization
        catalogue = [(row.name, f"{row.label} ({row.name})") for row in accounts.grantable_permissions()]
        self.filters["can"].extra["choices"] = catalogue
        owners, creators = queries.owners_and_creators(actor)
        self.filters["owner"].extra["choices"] = owners
        self.filters["created_by"].extra["choices"] = [(name, name) for name in creators]
        # The default is the empty choice: it stands once in the select, though it can be asked for by name.
        statuses = [("" if name == DEFAULT_STATUS else name, label) for name, label in STATUS_LABELS.items()]
        self.form.fields["status"].widget.choices = statuses

    def by_permission(self, rows: QuerySet[APIKey], name: str, value: str) -> QuerySet[APIKey]:
        return rows.filter(queries.able_to(value, self.organization))

    def by_admin(self, rows: QuerySet[APIKey], name: str, value: str) -> QuerySet[APIKey]:
        return rows.filter(queries.admin_keys() if value == "yes" else ~queries.admin_keys())

    def by_networks(self, rows: QuerySet[APIKey], name: str, value: str) -> QuerySet[APIKey]:
        return rows.exclude(allowed_networks=[]) if value == "yes" else rows.filter(allowed_networks=[])

    def by_expiry(self, rows: QuerySet[APIKey], name: str, value: str) -> QuerySet[APIKey]:
        return rows.filter(expires_at__isnull=value == "no")

    def by_flair(self, rows: QuerySet[APIKey], name: str, value: str) -> QuerySet[APIKey]:
        return rows.filter(queries.flaired(value))
