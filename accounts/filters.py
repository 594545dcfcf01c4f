"""The filters and the order of the lists of people, API users, groups, policies and permissions."""

from typing import Any

import django_filters
from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Lower

from accounts import listings, queries
from accounts.models import Organization
from accounts.models.permissions import Action, Risk

Order = dict[str, F | Lower | CombinedExpression]


def search(placeholder: str, label: str = "Search") -> django_filters.CharFilter:
    """The box at the beginning of a filter bar."""
    widget = forms.TextInput(attrs={"type": "search", "placeholder": placeholder})
    return django_filters.CharFilter(method="by_search", label=label, max_length=200, widget=widget)


class ListFilter(django_filters.FilterSet):
    """A search and an order; `sorts` names the columns that can be sorted by."""

    sorts: Order = {}
    default_sort = "name"

    def __init__(self, data: Any, rows: QuerySet[Any]) -> None:
        super().__init__(data, rows)
        names = [sign + name for name in self.sorts for sign in ("", "-")]
        self.filters["sort"].extra["choices"] = [(name, name) for name in names]

    sort = django_filters.ChoiceFilter(method="by_sort", choices=[])

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.form.cleaned_data.get("sort"):
            queryset = self.by_sort(queryset, "sort", self.default_sort)
        filtered: QuerySet[Any] = super().filter_queryset(queryset)
        return filtered

    def by_sort(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        order = self.sorts[value.lstrip("-")]
        ordered = order.desc(nulls_last=True) if value.startswith("-") else order.asc(nulls_last=True)
        return rows.order_by(ordered, "pk")


class NamedFilter(ListFilter):
    """Groups and policies."""

    search = search("Name or description")

    def by_search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value.strip()) | Q(description__icontains=value.strip()))


class MemberFilter(ListFilter):
    """API users, or people, of one organisation."""

    sorts: Order = {"name": Lower("user__name"), "created": F("user__created_at")}
    search = search("Name, description or ID")
    status = django_filters.ChoiceFilter(
        method="by_status",
        label="Status",
        empty_label="Any status",
        choices=[("active", "Active"), ("disabled", "Disabled")],
    )
    group = django_filters.ChoiceFilter(method="by_group", label="Group", empty_label="Any group", choices=[])
    can = django_filters.ChoiceFilter(method="by_permission", label="May", empty_label="Anything", choices=[])

    def __init__(self, data: Any, rows: QuerySet[Any], *, organization: Organization, groups: bool) -> None:
        super().__init__(data, rows)
        self.organization = organization
        catalogue = [(row.name, f"{row.label} ({row.name})") for row in queries.grantable_permissions()]
        self.filters["can"].extra["choices"] = catalogue
        offered = [(str(pk), name) for pk, name in listings.group_names(organization)] if groups else []
        self.filters["group"].extra["choices"] = offered

    def by_search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(listings.named(value))

    def by_status(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(user__is_active=value == "active")

    def by_group(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(groups__group=int(value))

    def by_permission(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(user__in=queries.holders(value, self.organization.pk))


class PersonFilter(MemberFilter):
    """`factors`: whether one may ask who has a second factor; the rows then are queries.with_second_factor."""

    sorts: Order = {**MemberFilter.sorts, "seen": F("user__last_login")}
    search = search("Name, e-mail address or ID")
    factor = django_filters.ChoiceFilter(
        method="by_factor", label="Second factor", empty_label="On or off", choices=[("on", "On"), ("off", "Off")]
    )

    def __init__(self, data: Any, rows: QuerySet[Any], *, factors: bool, **kwargs: Any) -> None:
        super().__init__(data, rows, **kwargs)
        if not factors:
            del self.filters["factor"]

    def by_factor(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(second_factor=value == "on")


class GroupFilter(NamedFilter):
    sorts: Order = {"name": Lower("name"), "members": F("people") + F("services"), "created": F("created_at")}


class PolicyFilter(NamedFilter):
    sorts: Order = {"name": Lower("name"), "groups": F("uses"), "version": F("version")}


class PermissionFilter(ListFilter):
    """The catalogue. A search finds a name, words, or an endpoint such as `POST /crm/services`."""

    sorts: Order = {"name": F("name"), "resource": Lower("resource"), "risk": F("risk_order")}
    default_sort = "resource"
    search = search("Name, word or endpoint")
    resource = django_filters.ChoiceFilter(label="Resource", empty_label="Any resource", choices=[])
    action = django_filters.ChoiceFilter(label="Action", empty_label="Any action", choices=Action.choices)
    risk = django_filters.ChoiceFilter(label="Risk", empty_label="Any risk", choices=Risk.choices)

    def __init__(self, data: Any, rows: QuerySet[Any], *, resources: list[str]) -> None:
        super().__init__(data, rows)
        self.filters["resource"].extra["choices"] = [(name, name) for name in resources]

    def by_search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(listings.needed_for(value))


class OrganizationFilter(ListFilter):
    sorts: Order = {"name": Lower("name"), "created": F("created_at")}
    search = search("Name or address")

    def by_search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value.strip()) | Q(slug__icontains=value.strip()))
