"""The small parts of a page: `{% load kit %}`. Text is escaped, nothing is styled inline (CSP)."""

import ipaddress
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django import template
from django.forms import BaseForm, BoundField, Select
from django.http import HttpRequest, QueryDict
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2.columns import BoundColumn
from django_tables2.tables import Table

from keyadmin.activity.words import action, action_on
from keyadmin.kernel import clock
from keyadmin.web import words
from keyadmin.web.query import altered
from keyadmin.web.session import seconds_left
from keyadmin.web.tables import directions

register = template.Library()


class Badge(NamedTuple):
    """A status as it looks: its words, its colour and its icon. Never colour alone."""

    text: str
    tone: str
    icon: str


# What a browser says of itself, the telling mark first: most of them also claim to be others.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
BADGES = {
    "active": Badge("Active", "ok", "check-circle"),
    "expiring_soon": Badge("Expiring soon", "warn", "hourglass"),
    "expired": Badge("Expired", "bad", "x-octagon"),
    "revoked": Badge("Revoked", "off", "slash"),
    "paused": Badge("Paused", "outline", "pause"),
}


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """`{% icon "key" %}`: a symbol of static/img/icons.svg. It says nothing; the words beside it do."""
    return format_html(
        '<svg class="ka-icon" width="{0}" height="{0}" aria-hidden="true" focusable="false">'
        '<use href="{1}#{2}"></use></svg>',
        size,
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def status_badge(status: str, extra: str = "") -> SafeString:
    """`{% status_badge key.status extra="in 12 days" %}`: one of BADGES; `extra` stands beside it, muted."""
    shown = BADGES[str(status)]
    beside = format_html(' <span class="ka-extra">{}</span>', extra) if extra else ""
    return format_html("{}{}", badge(shown.text, shown.tone, shown.icon), beside)


@register.simple_tag
def badge(text: str, tone: str = "off", symbol: str = "") -> SafeString:
    """`{% badge "Denied" "bad" "x-octagon" %}`; tones: ok, warn, bad, off, outline."""
    return format_html('<span class="ka-badge ka-{}">{}{}</span>', tone, icon(symbol, 13) if symbol else "", text)


# Tags that ask for a second look.
LOUD = frozenset({"Admin", "Owner disabled", "Secret not confirmed", "Weak secret"})
BLOCKED = "Blocked"  # or more: "Blocked in Acme"


@register.simple_tag
def tags(names: Iterable[str], shown: int = 2) -> SafeString:
    """`{% tags key.flairs %}`: the first ones as small tags, the rest as `+1` whose title names them."""
    every = [str(name) for name in names]
    html = SafeString("")
    for name in every[:shown]:
        loud = name in LOUD or name.startswith(BLOCKED)
        html += format_html(' <span class="ka-tag{}">{}</span>', " ka-warn" if loud else "", name)
    rest = every[shown:]
    if rest:
        html += format_html(
            ' <span class="ka-tag"><span aria-hidden="true">+{}</span><span class="visually-hidden">{}</span></span>',
            len(rest),
            ", ".join(rest),
        )
    return html


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """`{{ key.created_at|ago }}`: relative, the exact moment in the title; `Never` for nothing."""
    if moment is None:
        return SafeString("Never")
    return _time(moment, words.relative(moment, clock.now()))


@register.filter
def day(moment: datetime | None) -> SafeString:
    """`{{ key.created_at|day }}`: the date, the exact moment in the title; `Never` for nothing."""
    return SafeString("Never") if moment is None else _time(moment, words.day(timezone.localtime(moment)))


@register.filter
def expiry(moment: datetime | None) -> SafeString:
    """`{{ key.expires_at|expiry }}`: the date and, muted beneath, how far it is; `Never` for nothing."""
    if moment is None:
        return SafeString("Never")
    return format_html('{} <span class="ka-sub">{}</span>', day(moment), words.relative(moment, clock.now()))


@register.filter
def exactly(moment: datetime) -> SafeString:
    """`{{ event.at|exactly }}`: weekday, date, time and zone."""
    return _time(moment, words.exact(timezone.localtime(moment)))


@register.filter
def end_of_day(moment: datetime) -> str:
    """`{{ expires_at|end_of_day }}`: `the end of Fri 19 Feb 2027, 23:59 UTC`, or the plain moment."""
    moment = moment.astimezone(UTC)
    last_minute = (moment.hour, moment.minute) == (23, 59)
    return f"{'the end of ' if last_minute else ''}{moment:%a} {words.day(moment)}, {moment:%H:%M} UTC"


@register.filter
def rfc3339(moment: datetime) -> str:
    """`{{ expires_at|rfc3339 }}`: for scripts."""
    return clock.rfc3339(moment)


def _time(moment: datetime, text: str) -> SafeString:
    exact = words.exact(timezone.localtime(moment))
    return format_html('<time datetime="{}" title="{}">{}</time>', clock.rfc3339(moment), exact, text)


@register.filter
def masked(key: str) -> SafeString:
    """`{{ key.masked|masked }}`: monospaced, kept in one piece; in words where nothing of the key may be shown."""
    if not key.strip("."):
        return SafeString('<span class="ka-sub">Secret not shown</span>')
    return format_html('<code class="ka-key">{}</code>', key)


@register.filter
def counted(count: int, forms: str) -> str:
    """`{{ total|counted:"API key" }}` or `{{ n|counted:"entry,entries" }}`."""
    singular, _, plural = forms.partition(",")
    return words.counted(count, singular, plural)


@register.filter
def counted_as(count: int, noun: tuple[str, str]) -> str:
    """`{{ total|counted_as:noun }}`: with the Noun of a list."""
    return words.counted(count, *noun)


@register.filter(name="words")
def split_words(text: str) -> list[str]:
    """`{{ "Created Revoked"|words }}`: several words for one parameter of a template."""
    return text.split()


@register.filter
def thousands(count: int) -> str:
    """`{{ total|thousands }}`: 1,204."""
    return f"{count:,}"


@register.filter
def initials(name: str) -> str:
    """`{{ user.name|initials }}`: of the first and the last word."""
    parts = [part for part in name.split() if part[0].isalnum()]
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper() or "?"


# --- forms -----------------------------------------------------------------------------------------------------


@register.filter
def named(form: BaseForm, names: str) -> list[BoundField]:
    """`{{ form|named:"search status" }}`: those of its fields, in this order."""
    return [form[name] for name in names.split()]


@register.filter
def any_set(form: BaseForm, names: str) -> bool:
    """Whether one of the fields has a value."""
    return any(form[name].value() not in (None, "", []) for name in names.split())


@register.filter
def control(field: BoundField) -> SafeString:
    """The bare input of a field with Bootstrap's class, for filter bars; its label stands elsewhere."""
    select = isinstance(field.field.widget, Select)
    return SafeString(field.as_widget(attrs={"class": "form-select" if select else "form-control"}))


@register.filter
def first_id(field: BoundField) -> str:
    """The id that a link in the error summary leads to: the input's, or the first one's of a group."""
    if field.use_fieldset:
        options = list(field)
        return str(options[0].id_for_label) if options else field.auto_id
    return field.id_for_label or field.auto_id


@register.filter
def error_texts(field: BoundField) -> list[str]:
    """What is wrong with a field, for the summary: the words that also stand beside it."""
    return [str(text) for text in field.errors]


@register.filter
def at(query: QueryDict, name: str) -> str:
    """`{{ request.GET|at:"sort" }}`: what the address says under a name, or nothing."""
    return str(query.get(name, ""))


# --- browsers ----


@register.filter
def in_json(value: object) -> str:
    """`data-options="{{ js_data|in_json }}"`: for a script, in an attribute."""
    return json.dumps(value)


@register.filter
def passkeys_refused(request: HttpRequest) -> str:
    """Why a browser allows no passkey at the address of this page; nothing where it does (WebAuthn, 5.1.3).

    `plain` for a name over http, `number` for an IP address; on this machine the address by which it would work.
    """
    host, _, port = request.get_host().rpartition(":") if ":" in request.get_host() else (request.get_host(), "", "")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return "" if request.is_secure() or host == "localhost" else "plain"
    if not address.is_loopback:
        return "number"
    return f"{request.scheme}://localhost:{port}/sign-in/" if port else f"{request.scheme}://localhost/sign-in/"


register.filter("seconds_left", seconds_left)


@register.filter
def device(agent: str) -> str:
    """`{{ session.user_agent|device }}`: `Firefox on Linux`, or `Unknown browser`."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "Unknown browser")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser


# --- charts ----------------------------------------------------------------------------------------------------


@register.filter
def minus(number: int, less: int) -> int:
    """`{{ chart.height|minus:3 }}`."""
    return number - less


# --- tables ----------------------------------------------------------------------------------------------------


@register.filter
def caption(table: Table) -> str:
    """What the table shows: its `caption`, else the name of its rows."""
    return str(getattr(table, "caption", "") or table.data.verbose_name_plural)


@register.filter
def shape(column: BoundColumn) -> str:
    """The classes of a cell: the column's name, and where it gives way (attrs cell class)."""
    return f"ka-col-{column.name} {column.column.attrs.get('cell', {}).get('class', '')}".strip()


@register.filter
def silent(column: BoundColumn) -> bool:
    """Whether a header is for screen readers only (`web.tables.look`)."""
    return bool(column.column.attrs.get("silent"))


class Sorting(NamedTuple):
    """How a column is sorted now (`ascending`, `descending` or nothing), and the address that sorts it next."""

    state: str
    url: str


@register.simple_tag(takes_context=True)
def sorting(context: RequestContext, table: Table, column: BoundColumn) -> Sorting:
    """The header link of a sortable column. A new order begins on the first page."""
    alias = column.order_by_alias
    state = ("descending" if alias.is_descending else "ascending") if column.is_ordered else ""
    changes = {table.prefixed_order_by_field: str(alias.next), table.prefixed_page_field: None}
    return Sorting(state, address(context, **changes))


@register.simple_tag(takes_context=True)
def address(context: RequestContext, **changes: Any) -> str:
    """`{% address page=2 %}`: the present query with other values; None takes one away."""
    return altered(context["request"].GET, **changes)


class Order(NamedTuple):
    """One way to sort a list: `-created` and its words."""

    value: str
    words: str
    chosen: bool


@register.filter
def orders(table: Table) -> list[Order]:
    """`{{ table|orders }}`: every sort of the table, for where it has no headers."""
    chosen = [str(alias) for alias in table.order_by or ()]
    found = []
    for column in table.columns:
        for sign, way in zip(("", "-"), directions(column) if column.orderable else (), strict=False):
            value = f"{sign}{column.name}"
            found.append(Order(value, f"{column.header}: {way}", value in chosen))
    return found


@register.simple_tag(takes_context=True)
def others(context: RequestContext, *names: str) -> list[tuple[str, str]]:
    """`{% others "sort" "page" as kept %}`: what the address sets besides, for a form to send along."""
    query = context["request"].GET
    return [(name, value) for name in query if name not in names for value in query.getlist(name) if value]


@register.filter
def page_numbers(table: Table) -> list[int | None]:
    """The pages to link: first, last and those around the present one; None for a gap."""
    last, now = table.paginator.num_pages, table.page.number
    shown = sorted({1, last, *range(max(1, now - 1), min(last, now + 1) + 1)})
    numbers: list[int | None] = []
    for number in shown:
        if numbers and number - (numbers[-1] or 0) == 2:
            numbers.append(number - 1)
        elif numbers and number - (numbers[-1] or 0) > 2:
            numbers.append(None)
        numbers.append(number)
    return numbers


@register.filter
def event_words(name: str) -> str:
    """`{{ event.name|event_words }}`: `api_key.created` as "Created API key"."""
    return action(name)


@register.filter
def event_words_on(name: str) -> str:
    """The same before the name of what it was done to: `{{ event.name|event_words_on }} {{ event.target_label }}`."""
    return action_on(name)
