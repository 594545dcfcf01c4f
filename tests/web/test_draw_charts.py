"""Charts count what falls into each week, and draw it to scale."""

from datetime import date, timedelta

import pytest

from keyadmin.web import charts

FIRST = date(2026, 11, 21)


def test_days_are_added_up_by_weeks() -> None:
    days = {FIRST: 1, FIRST + timedelta(days=6): 2, FIRST + timedelta(days=7): 4, FIRST - timedelta(days=1): 8}
    weeks = charts.weeks(FIRST, 2, days, {})
    assert [week.numbers for week in weeks] == [(3, 0), (4, 0)]
    assert [week.span for week in weeks] == ["21 to 27 Nov 2026", "28 Nov to 4 Dec 2026"]
    assert charts.weeks(date(2026, 12, 28), 1)[0].span == "28 Dec 2026 to 3 Jan 2027"


def test_columns_are_to_scale_and_few_are_still_seen() -> None:
    days = {FIRST: 1000, FIRST + timedelta(days=7): 1, FIRST + timedelta(days=14): 500}
    drawn = charts.chart(charts.weeks(FIRST, 4, days))
    assert drawn.top == 1000
    heights = [sum(bar.height for bar in column.bars) for column in drawn.columns]
    assert heights == [charts.PLOT, 2, charts.PLOT // 2, 0]
    assert all(bar.y + bar.height == drawn.floor for column in drawn.columns for bar in column.bars)
    assert [column.x for column in drawn.columns] == ["0.000%", "25.000%", "50.000%", "75.000%"]
    assert (drawn.total, drawn.highest.number, len(drawn.weeks)) == (1501, 1000, 3)


def test_nothing_at_all_is_drawn_too() -> None:
    drawn = charts.chart(charts.weeks(FIRST, 13, {}, {}))
    assert (drawn.top, drawn.total, drawn.weeks) == (1, 0, [])


@pytest.mark.parametrize(
    ("number", "top"), [(0, 1), (1, 1), (6, 6), (7, 8), (9, 10), (11, 20), (61, 80), (100, 100), (101, 200)]
)
def test_the_scale_ends_at_a_round_number(number: int, top: int) -> None:
    assert charts.ceiling(number) == top
