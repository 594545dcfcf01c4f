"""The filters and the order of the key list, the same for page and API."""

from typing import Any

import django_filters
from django import forms
from django.db.models import F, QuerySet
from django.db.models.functions import Lower

from keyadmin.kernel import clock
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
}
SORT_NAMES = tuple(sign + name for name in SORTS for sign in ("", "-"))


class KeyFilter(django_filters.FilterSet):
    """search, status, kind, environment, owner, sort. What expires never comes last in either direction of sort."""

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

    def by_sort(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        order = SORTS[value.lstrip("-")]
        ordered = order.desc(nulls_last=True) if value.startswith("-") else order.asc(nulls_last=True)
        return rows.order_by(ordered, "-pk")
