"""Relative times say the largest unit that has passed in full."""

from datetime import UTC, datetime, timedelta

import pytest

from keyadmin.web import words

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=30), "in less than a minute"),
        (timedelta(minutes=-4, seconds=-59), "4 min ago"),
        (timedelta(hours=-6), "6 h ago"),
        (timedelta(days=-1), "1 day ago"),
        (timedelta(days=3, hours=23), "in 3 days"),
        (timedelta(days=400), "in 400 days"),
        (timedelta(days=-1100), "3 years ago"),
    ],
)
def test_relative(distance: timedelta, text: str) -> None:
    assert words.relative(NOW + distance, NOW) == text


def test_exact_and_counted() -> None:
    assert words.exact(NOW) == "Sat 21 Nov 2026, 12:00:00 UTC"
    assert words.counted(1, "API key") == "1 API key"
    assert words.counted(1204, "entry", "entries") == "1,204 entries"
