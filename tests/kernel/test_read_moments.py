"""How moments and expiry dates are written and read."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel import clock

AT = datetime(2026, 1, 10, 12, 30, 15, 500_000, tzinfo=UTC)
HINT = "Write a date such as 2026-12-31"
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIRST, LAST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone
moments = st.datetimes(FIRST, LAST, timezones=offsets)


def test_now_is_the_present_in_utc() -> None:
    assert abs(clock.now().timestamp() - time()) < 5
    assert clock.now().utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 10, 23, 59, 59, 999_999, tzinfo=UTC), "2026-01-10T23:59:59Z"),
        (datetime(2026, 1, 11, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2026-01-10T23:00:00Z"),
        (datetime(99, 1, 1, tzinfo=UTC), "0099-01-01T00:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc_and_whole_seconds(moment: datetime, text: str) -> None:
    assert clock.rfc3339(moment) == text


NAIVE = datetime(2026, 1, 10)  # noqa: DTZ001 - just that is tested


@pytest.mark.parametrize("moment", [NAIVE, datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))])
def test_a_moment_that_has_no_utc_form_is_not_written(moment: datetime) -> None:
    with pytest.raises(ValueError, match=r"time zone|out of range"):
        clock.rfc3339(moment)


@given(moments)
def test_what_was_written_is_read_back(moment: datetime) -> None:
    assert clock.parse_moment(clock.rfc3339(moment)) == moment.replace(microsecond=0)
    read = clock.parse_moment(moment.isoformat(timespec="microseconds"))
    assert read == moment
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-10", datetime(2026, 1, 10, 23, 59, 59, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-10T08:00:00Z", datetime(2026, 1, 10, 8, tzinfo=UTC)),
        ("2026-01-10t08:00:00z", datetime(2026, 1, 10, 8, tzinfo=UTC)),
        ("2026-01-10T08:00:00+02:00", datetime(2026, 1, 10, 6, tzinfo=UTC)),
        ("2026-01-10T08:00:00-05:30", datetime(2026, 1, 10, 13, 30, tzinfo=UTC)),
        ("2026-01-10T08:00:00-00:00", datetime(2026, 1, 10, 8, tzinfo=UTC)),
        ("2026-01-10T08:00:00.5Z", datetime(2026, 1, 10, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-10T08:00:00.1234567891Z", datetime(2026, 1, 10, 8, 0, 0, 123_456, tzinfo=UTC)),
        # The examples of RFC 3339, 5.8
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520_000, tzinfo=UTC)),
        ("1996-12-19T16:39:57-08:00", datetime(1996, 12, 20, 0, 39, 57, tzinfo=UTC)),
        ("1937-01-01T12:00:27.87+00:20", datetime(1937, 1, 1, 11, 40, 27, 870_000, tzinfo=UTC)),
    ],
)
def test_dates_and_rfc_3339_moments_are_read(text: str, moment: datetime) -> None:
    assert clock.parse_moment(text) == moment


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2026-01-10T08:00:00", "needs its offset"),
        ("2026-01-10T08:00:00.123", "needs its offset"),
        ("2026-02-29", "no such date"),
        ("2026-13-01", "no such date"),
        ("2026-00-10", "no such date"),
        ("0000-01-01", "no such date"),
        ("2026-01-10T24:00:00Z", "no such date or time"),
        ("2026-01-10T23:60:00Z", "no such date or time"),
        ("1990-12-31T23:59:60Z", "no such date or time"),
        ("2026-01-10T08:00:00+24:00", "no such offset"),
        ("2026-01-10T08:00:00+02:60", "no such offset"),
        ("9999-12-31T23:59:59-01:00", "out of range"),
        ("0001-01-01T00:00:00+01:00", "out of range"),
        ("", HINT),
        ("tomorrow", HINT),
        ("never", HINT),
        ("20260110", HINT),
        ("2026-1-10", HINT),
        ("10026-01-10", HINT),
        ("-2026-01-10", HINT),
        ("2026-W02-6", HINT),
        ("10/01/2026", HINT),
        (" 2026-01-10", HINT),
        ("2026-01-10\n", HINT),
        ("2026-01-10Z", HINT),
        ("2026-01-10 08:00:00Z", HINT),
        ("2026-01-10T08:00Z", HINT),
        ("2026-01-10T08:00:00.Z", HINT),
        ("2026-01-10T08:00:00+0200", HINT),
        ("2026-01-10T08:00:00 Z", HINT),
        ("2026-01-10T08:00:00ZZ", HINT),
        ("\N{ARABIC-INDIC DIGIT TWO}026-01-10", HINT),
        ("2026-01-1\N{FULLWIDTH DIGIT ZERO}", HINT),
    ],
)
def test_anything_else_is_refused_in_words(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        clock.parse_moment(text)


@given(st.text(st.characters()), st.text("0123456789-T:.Z+d", max_size=30))
def test_no_text_raises_anything_but_a_value_error(any_text: str, likely: str) -> None:
    for text in (any_text, likely, "2026-01-10T08:00:00" + likely, "9999-12-31T23:59:59." + likely):
        try:
            moment = clock.parse_moment(text)
        except ValueError:
            continue
        assert moment.utcoffset() == timedelta(0)


def test_an_expiry_is_never_a_moment_or_a_number_of_days() -> None:
    assert clock.parse_expiry("never", at=AT) is None
    assert clock.parse_expiry("2026-06-01", at=AT) == datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)
    assert clock.parse_expiry("2026-01-10T12:30:16Z", at=AT) == datetime(2026, 1, 10, 12, 30, 16, tzinfo=UTC)
    assert clock.parse_expiry("90d", at=AT) == datetime(2026, 4, 10, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("days", [1, 30, 365, 36500])
def test_days_are_counted_from_the_given_moment_in_utc(days: int) -> None:
    east = AT.astimezone(timezone(timedelta(hours=14)))  # already tomorrow there
    for at in (AT, east):
        expiry = clock.parse_expiry(f"{days}d", at=at)
        assert expiry is not None
        assert expiry.date() == AT.date() + timedelta(days=days)
        assert clock.rfc3339(expiry).endswith("T23:59:59Z")
        assert expiry.microsecond == 0


@pytest.mark.parametrize("text", ["0d", "00d", "36501d", "99999d"])
def test_a_number_of_days_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="from 1 to 36500"):
        clock.parse_expiry(text, at=AT)


def test_a_number_of_days_past_the_last_year_is_refused() -> None:
    with pytest.raises(ValueError, match="too far away"):
        clock.parse_expiry("36500d", at=datetime(9990, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d",
        "-1d",
        "1.5d",
        "1 d",
        "1D",
        "100000d",
        "Never",
        "never ",
        "\N{FULLWIDTH DIGIT ONE}d",
        "1w",
        "null",
    ],
)
def test_other_texts_are_no_expiry(text: str) -> None:
    with pytest.raises(ValueError, match=HINT):
        clock.parse_expiry(text, at=AT)


@pytest.mark.parametrize("text", ["2026-01-09", "2026-01-10T12:30:15.5Z", "2026-01-10T12:30:15Z", "0001-01-01"])
def test_an_expiry_that_is_not_in_the_future_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^The expiry date must be in the future\.$"):
        clock.parse_expiry(text, at=AT)


def test_today_is_an_expiry_until_the_day_ends() -> None:
    end = datetime(2026, 1, 10, 23, 59, 59, tzinfo=UTC)
    assert clock.parse_expiry("2026-01-10", at=AT) == end
    with pytest.raises(ValueError, match="in the future"):
        clock.parse_expiry("2026-01-10", at=end)


def test_it_can_be_another_moment_for_a_while() -> None:
    moment = datetime(2020, 2, 29, 12, tzinfo=timezone(timedelta(hours=2)))
    with clock.at(moment):
        assert clock.now() == moment
        assert clock.now().utcoffset() == timedelta(0)
        with clock.at(moment + timedelta(days=1)):
            assert clock.now() == moment + timedelta(days=1)
        assert clock.now() == moment
    assert abs(clock.now().timestamp() - time()) < 5


def test_other_threads_keep_their_time() -> None:
    with clock.at(datetime(2020, 1, 1, tzinfo=UTC)), ThreadPoolExecutor(1) as threads:
        assert threads.submit(clock.now).result().year > 2020
