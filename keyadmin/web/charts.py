"""Pictures of figures as plain SVG: heights in pixels, places across in per cent, so that text never scales.

What is drawn here templates/components/chart.html shows, together with the same figures as a table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from keyadmin.web import words

ROOF, PLOT = 18, 84  # pixels above the columns, for labels, and of the highest column
STEPS = (1, 2, 3, 4, 5, 6, 8, 10)
SHARE = 0.72  # of a column's place that is filled


class Week(NamedTuple):
    """Some days, seven or a single one, and what was counted in them."""

    first: date
    last: date
    numbers: tuple[int, ...]
    url: str = ""

    @property
    def number(self) -> int:
        return self.numbers[0]

    @property
    def span(self) -> str:
        """`24 to 30 Nov 2026`, `28 Dec 2026 to 3 Jan 2027`, `24 Nov 2026`."""
        if self.first == self.last:
            return words.day(self.first)
        first = words.day(self.first)
        if self.first.year == self.last.year:
            same_month = self.first.month == self.last.month
            first = str(self.first.day) if same_month else f"{self.first.day} {self.first:%b}"
        return f"{first} to {words.day(self.last)}"


class Bar(NamedTuple):
    """One rectangle: `part` says of which series."""

    part: int
    x: str
    width: str
    y: int
    height: int


class Column(NamedTuple):
    """A week as it is drawn: its place, and its bars."""

    week: Week
    x: str
    width: str
    bars: list[Bar]


class Mark(NamedTuple):
    """A word under or over a place."""

    x: str
    text: str
    minor: bool = False


@dataclass(frozen=True)
class Chart:
    """Columns by week, or by day. `top` is what the line at the top stands for."""

    columns: list[Column]
    months: list[Mark]
    top: int
    marks: Sequence[Mark] = ()

    roof, floor, height = ROOF, ROOF + PLOT, ROOF + PLOT + 18

    @property
    def weeks(self) -> list[Week]:
        """Those in which there is something."""
        return [column.week for column in self.columns if any(column.week.numbers)]

    @property
    def total(self) -> int:
        return sum(column.week.number for column in self.columns)

    @property
    def highest(self) -> Week:
        """The first of the weeks in which most was counted."""
        return max((column.week for column in self.columns), key=lambda week: week.number)


def weeks(first: date, count: int, *series: Mapping[date, int]) -> list[Week]:
    """The figures of single days, added up by weeks that begin with the first day."""
    return _spans(first, count, 7, series)


def days(first: date, count: int, *series: Mapping[date, int]) -> list[Week]:
    """The figures of single days as they are."""
    return _spans(first, count, 1, series)


def _spans(first: date, count: int, length: int, series: Sequence[Mapping[date, int]]) -> list[Week]:
    found = []
    for number in range(count):
        start = first + timedelta(days=number * length)
        inside = [start + timedelta(days=day) for day in range(length)]
        found.append(Week(start, inside[-1], tuple(sum(one.get(day, 0) for day in inside) for one in series)))
    return found


def chart(shown: Sequence[Week], marks: Sequence[Mark] = ()) -> Chart:
    """Weeks as columns, those of several series side by side."""
    top = ceiling(max((number for week in shown for number in week.numbers), default=0))
    return Chart(
        [_column(week, place, len(shown), top) for place, week in enumerate(shown)], _months(shown), top, marks
    )


def ceiling(number: int) -> int:
    """A round number that is not smaller: 1 to 6, 8, 10, 20, 30, ..."""
    scale = 1
    while number > STEPS[-1] * scale:
        scale *= 10
    return next(step * scale for step in STEPS if step * scale >= number)


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.3f}%"


def _column(week: Week, place: int, count: int, top: int) -> Column:
    share = SHARE / len(week.numbers)
    bars = []
    for part, number in enumerate(week.numbers):
        # At least two pixels: one key among hundreds is still seen.
        height = max(2, round(PLOT * number / top)) if number else 0
        left = place + (1 - SHARE) / 2 + part * share
        bars.append(Bar(part, percent(left, count), percent(share, count), ROOF + PLOT - height, height))
    return Column(week, percent(place, count), percent(1, count), [bar for bar in bars if bar.height])


def _months(shown: Sequence[Week]) -> list[Mark]:
    """Where months begin, but for what would run into the edge; every second one may give way."""
    days = (shown[-1].last - shown[0].first).days + 1
    found: list[Mark] = []
    for offset in range(days):
        day = shown[0].first + timedelta(days=offset)
        if day.day == 1 and days * 0.1 < offset < days * 0.94:
            text = f"{day:%b ’%y}" if day.month == 1 else f"{day:%b}"
            found.append(Mark(percent(offset, days), text, minor=len(found) % 2 == 1))
    return found
