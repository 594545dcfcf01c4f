"""Rate limits as people write them."""

import pytest

from keyadmin.kernel.rates import Rate, parse_rate, strictest


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("600/minute", Rate(600, 60)),
        (" 1/Second ", Rate(1, 1)),
        ("1000000/day", Rate(1_000_000, 86400)),
        ("36/hour", Rate(36, 3600)),
    ],
)
def test_read(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate
    assert parse_rate(str(rate)) == rate


@pytest.mark.parametrize(
    "text",
    [
        *("", "600", "600/", "/minute", "0/minute", "-1/minute", "1.5/minute", "600/month", "600/minutes"),
        *("1000001/day", "600 / minute", "١/minute", "600/minute\n600/minute", "006/minute", "9" * 30 + "/day"),  # noqa: RUF001
    ],
)
def test_refuse(text: str) -> None:
    with pytest.raises(ValueError, match="600/minute"):
        parse_rate(text)


def test_the_strictest_allows_least_in_the_long_run() -> None:
    assert strictest([]) is None
    assert strictest([None, Rate(2, 1), None, Rate(100, 60)]) == Rate(100, 60)
    assert strictest([Rate(60, 60), Rate(1, 1)]) == Rate(1, 1)
