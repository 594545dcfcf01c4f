"""The filters of the activity page."""

from datetime import date, datetime, time, timedelta

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from keyadmin.activity import queries, words
from keyadmin.activity.events import SIGN_INS, EventName
from keyadmin.activity.models import Event
from keyadmin.kernel import clock

SEARCH = forms.TextInput(attrs={"type": "search", "placeholder": "What was changed"})
TAB = "Show"
PERIODS = {"today": 0, "7": 7, "30": 30, "90": 90}  # days before today
TABS = {"": "All", "changes": "Changes", "sign_ins": "Sign-ins"}


def _day(label: str, method: str) -> django_filters.DateFilter:
    return django_filters.DateFilter(label=label, method=method, widget=forms.DateInput(attrs={"type": "date"}))


def _actions() -> list[tuple[str, list[tuple[str, str]]]]:
    """Under each heading all of it, then each event."""
    return [
        (heading, [(group, everything), *((name.value, words.action(name)) for name in words.names_in(group))])
        for group, (heading, everything, _) in words.GROUPS.items()
    ]


class ActivityFilter(django_filters.FilterSet):
    """What narrows one chain. The action is no filter of rows: `names` goes to `queries.page_before`."""

    target = django_filters.CharFilter(
        field_name="target_label", lookup_expr="icontains", label="Target", max_length=80, widget=SEARCH
    )
    action = django_filters.ChoiceFilter(method="leave", label="Action", empty_label="All actions", choices=_actions())
    period = django_filters.ChoiceFilter(
        method="by_period",
        label="Time",
        empty_label="Any time",
        choices=[(name, f"Last {days} days" if days else "Today") for name, days in PERIODS.items()],
    )
    actor = django_filters.CharFilter(field_name="actor_label", lookup_expr="icontains", label="Actor", max_length=80)
    actor_kind = django_filters.ChoiceFilter(
        label="Kind of actor", empty_label="All kinds", choices=list(words.ACTORS.items())
    )
    since = _day("From day (UTC)", "by_since")
    until = _day("To day (UTC)", "by_until")
    show = django_filters.ChoiceFilter(method="by_tab", label=TAB, choices=list(TABS.items()), widget=forms.HiddenInput)

    class Meta:
        model = Event
        fields: tuple[str, ...] = ()

    def names(self) -> frozenset[EventName] | None:
        """The events that tab and action leave; None: all that the rows hold."""
        action = self.form.cleaned_data.get("action")
        in_tab = frozenset(SIGN_INS) if self.form.cleaned_data.get("show") == "sign_ins" else None
        if not action:
            return in_tab
        wanted = frozenset(words.names_in(action) if action in words.GROUPS else [EventName(action)])
        return wanted if in_tab is None else wanted & in_tab

    def leave(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return rows

    def by_tab(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return rows.exclude(name__in=SIGN_INS) if value == "changes" else rows

    def by_period(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return self.by_since(rows, name, timezone.localdate(clock.now()) - timedelta(days=PERIODS[value]))

    def by_since(self, rows: QuerySet[Event], name: str, value: date) -> QuerySet[Event]:
        return queries.since(rows, self.organization_id, _midnight(value))

    def by_until(self, rows: QuerySet[Event], name: str, value: date) -> QuerySet[Event]:
        return queries.until(rows, self.organization_id, _midnight(value) + timedelta(days=1))

    def __init__(self, data: object, organization_id: int) -> None:
        super().__init__(data, queries.chain_of(organization_id))
        self.organization_id = organization_id


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
