"""The filters of the activity page."""

import django_filters
from django import forms

from keyadmin.activity.events import EventName
from keyadmin.activity.models import Event
from keyadmin.kernel.actor import ActorKind

SEARCH = forms.TextInput(attrs={"type": "search", "placeholder": "What was changed"})


def _date(label: str, lookup: str) -> django_filters.DateFilter:
    widget = forms.DateInput(attrs={"type": "date"})
    return django_filters.DateFilter(field_name="time", lookup_expr=lookup, label=label, widget=widget)


class ActivityFilter(django_filters.FilterSet):
    """By action, actor, target and day (UTC)."""

    action = django_filters.ChoiceFilter(
        field_name="name", label="Action", empty_label="All actions", choices=[(e.value, e.value) for e in EventName]
    )
    target = django_filters.CharFilter(
        field_name="target_label", lookup_expr="icontains", label="Target", max_length=80, widget=SEARCH
    )
    actor = django_filters.CharFilter(field_name="actor_label", lookup_expr="icontains", label="Actor", max_length=80)
    actor_kind = django_filters.ChoiceFilter(
        label="Kind of actor", empty_label="All kinds", choices=[(kind.value, kind.value) for kind in ActorKind]
    )
    since = _date("From day", "date__gte")
    until = _date("To day", "date__lte")

    class Meta:
        model = Event
        fields: tuple[str, ...] = ()
