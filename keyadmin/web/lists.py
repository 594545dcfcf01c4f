"""One list: filtered, sorted, paged, as a page or as its results alone."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from django.core.paginator import EmptyPage, PageNotAnInteger
from django.forms import BoundField, Form
from django.http import HttpRequest, HttpResponse
from django.utils.choices import flatten_choices
from django_filters import FilterSet
from django_tables2 import Table
from django_tables2.data import TableQuerysetData

from keyadmin.web import words
from keyadmin.web.htmx import announce, render_page, wants_part
from keyadmin.web.query import altered
from keyadmin.web.tables import directions

PAGE_SIZES = (25, 50, 100)
SEARCH, SORT, PAGE, PAGE_SIZE = "search", "sort", "page", "page_size"
PART = "components/results.html"
# The modal above a list has a form of its own, whose fields may be called the same.
FILTER_ID = "filter_%s"


class Noun(NamedTuple):
    """What the rows are called in a sentence: `API key`, `API keys`."""

    singular: str
    plural: str


class Chip(NamedTuple):
    """An applied filter in words, and the address of the list without it."""

    label: str
    value: str
    url: str


class Filtered(TableQuerysetData):
    """Rows in the order that the filterset gave them, which the API shares; the table does not sort again."""

    def order_by(self, aliases: Any) -> None:
        return None


def render_list(
    request: HttpRequest,
    filterset: FilterSet,
    table_class: type[Table],
    *,
    noun: Noun,
    template: str,
    default_sort: str = "",
    context: Mapping[str, Any] | None = None,
    **for_table: Any,
) -> HttpResponse:
    """A list of what the filterset finds; a script that asks for it gets components/results.html and the count.

    `template` extends app.html and includes components/results.html. Its context, besides what is given here:
    `filterset`, `table` (paged), `chips`, `left_out`, `noun`, `total`, `list_title`, `page_sizes`. Columns of the table
    are called as the filterset's sorts are. A page that does not exist is the first one; a filter whose value can't be
    read is left out, and said to be. A `heading` in `context` is also the title. `for_table`: what the
    table takes besides.
    """
    form = filterset.form
    form.auto_id = FILTER_ID
    form.is_valid()
    sort = form.cleaned_data.get(SORT) or default_sort
    table = table_class(Filtered(filterset.qs), order_by=sort, order_by_field=SORT, page_field=PAGE, **for_table)
    table.request = request
    paginate(request, table)
    total = table.paginator.count
    pages = table.paginator.num_pages
    page_words = f" (page {table.page.number} of {pages})" if pages > 1 else ""
    title = (context or {}).get("heading") or f"{noun.plural[:1].upper()}{noun.plural[1:]}"
    response = render_page(
        request,
        template,
        PART,
        {
            "filterset": filterset,
            "table": table,
            "chips": chips(request, form),
            "left_out": [(str(form[name].label), texts[0]) for name, texts in form.errors.items() if name != SORT],
            "page_sizes": PAGE_SIZES if total > PAGE_SIZES[0] else (),
            "noun": noun,
            "total": total,
            "list_title": f"{title}{page_words}",
            **(context or {}),
        },
    )
    if wants_part(request) and "X-Reread" not in request.headers:  # who changed something has said so
        announce(response, f"{words.counted(total, *noun)}{_sorted_words(table)}{page_words}")
    return response


def paginate(request: HttpRequest, table: Table) -> None:
    """Give the table the page that was asked for, of one of PAGE_SIZES."""
    asked = request.GET.get(PAGE_SIZE, "")
    size = int(asked) if asked in map(str, PAGE_SIZES) else PAGE_SIZES[0]
    try:
        table.paginate(page=request.GET.get(PAGE, "1")[:9], per_page=size)
    except (PageNotAnInteger, EmptyPage):
        table.paginate(page=1, per_page=size)


def chips(request: HttpRequest, form: Form) -> list[Chip]:
    """The filters that the address sets, in the words of the form; the order is none."""
    form.is_valid()
    found = []
    for bound in form:
        if bound.name != SORT and form.cleaned_data.get(bound.name) not in (None, "", []):
            url = altered(request.GET, **{bound.html_name: None, PAGE: None})
            label = "Search" if bound.name == SEARCH else str(bound.label)  # its label is a sentence
            found.append(Chip(label, _shown(bound, form.cleaned_data[bound.name]), url))
    return found


def _shown(bound: BoundField, cleaned: object) -> str:
    """A value as the form shows it: the label of a choice, a date as pages write it, else what was typed."""
    if isinstance(cleaned, date):
        return words.day(cleaned)
    value = bound.value()
    choices: Any = flatten_choices(getattr(bound.field, "choices", ()))
    labels = {str(key): str(label) for key, label in choices}
    values = value if isinstance(value, list | tuple) else [value]
    return ", ".join(labels.get(str(one), str(one)) for one in values)


def _sorted_words(table: Table) -> str:
    for alias in table.order_by or ():
        column = table.columns[str(alias).lstrip("-")]
        return f", sorted by {column.header}, {directions(column)[str(alias).startswith('-')]}"
    return ""
