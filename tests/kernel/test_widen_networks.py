"""Whether a changed list of networks lets in an address that the former list kept out."""

from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel.addresses import contains, widens


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], False),
        ([], ["10.0.0.0/8"], False),
        (["10.0.0.0/8"], [], True),
        (["10.0.0.0/8"], ["10.0.0.0/8"], False),
        (["10.0.0.0/8"], ["10.1.0.0/16"], False),
        (["10.1.0.0/16"], ["10.0.0.0/8"], True),
        (["10.0.0.0/8"], ["10.1.0.0/16", "192.0.2.1"], True),
        (["10.0.0.0/8", "192.0.2.1"], ["192.0.2.1/32"], False),
        # Adjacent parts are their whole
        (["10.0.0.0/9", "10.128.0.0/9"], ["10.0.0.0/8"], False),
        (["10.0.0.0/10", "10.64.0.0/10", "10.128.0.0/9"], ["10.0.0.0/8"], False),
        (["10.0.0.0/10", "10.128.0.0/9"], ["10.0.0.0/8"], True),
        (["10.0.0.0/8"], ["10.0.0.0/9", "10.128.0.0/9"], False),
        (["2001:db8::/33", "2001:db8:8000::/33"], ["2001:db8::/32"], False),
        (["10.0.0.1", "10.0.0.2"], ["10.0.0.0/30"], True),
        # Everything, written out
        (["0.0.0.0/0", "::/0"], [], False),
        (["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"], [], False),
        (["0.0.0.0/0"], [], True),
        (["::/0"], [], True),
        # The two families are apart, but for IPv4 written as IPv6
        (["0.0.0.0/0"], ["::1"], True),
        (["::/0"], ["192.0.2.1"], True),
        (["10.0.0.0/8"], ["::ffff:10.1.0.0/112"], False),
        (["::ffff:10.0.0.0/104"], ["10.0.0.0/8"], False),
    ],
)
def test_a_list_widens_when_it_lets_in_more(before: list[str], after: list[str], expected: bool) -> None:
    assert widens(before, after) is expected
    assert widens(tuple(before), tuple(reversed(after))) is expected


# Sixteen addresses of each family are enough to have every way in which networks lie to each other.
FOUR = [f"192.0.2.{n}" for n in range(16)]
SIX = [f"2001:db8::{n:x}" for n in range(16)]


def network(version: int, start: int, bits: int) -> str:
    start = start >> bits << bits
    if version == 4:
        return str(IPv4Network((f"192.0.2.{start}", 32 - bits)))
    return str(IPv6Network((f"2001:db8::{start:x}", 128 - bits)))


networks = st.builds(network, st.sampled_from([4, 6]), st.integers(0, 15), st.integers(0, 4))
lists = st.lists(networks, min_size=1, max_size=12)


@given(lists, lists)
def test_it_agrees_with_trying_every_address(before: list[str], after: list[str]) -> None:
    let_in = [a for a in FOUR + SIX if contains(after, a) and not contains(before, a)]
    assert widens(before, after) == bool(let_in)


def test_a_text_that_is_no_network_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a network"):
        widens(["office"], [])
    with pytest.raises(ValueError, match="not a network"):
        widens([], ["office"])
