"""The client is the peer, or what proxies of ours say of it; nobody else's word counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel.addresses import client_address, parse_address

TRUSTED = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]
CLIENT = "203.0.113.9"
FORGED = "198.51.100.66"


def test_without_trusted_proxies_the_header_is_not_read() -> None:
    assert client_address("10.0.0.1", CLIENT, []) == "10.0.0.1"


def test_a_peer_that_is_no_proxy_of_ours_is_the_client() -> None:
    assert client_address(FORGED, CLIENT, TRUSTED) == FORGED
    assert client_address(FORGED, "10.0.0.1", TRUSTED) == FORGED


def test_a_proxy_of_ours_names_the_client() -> None:
    for peer in ("10.0.0.1", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.1", "10.0.0.1:5000"):
        assert client_address(peer, CLIENT, TRUSTED) == CLIENT


def test_the_walk_goes_through_all_our_proxies() -> None:
    assert client_address("10.0.0.1", f"{CLIENT}, 10.0.0.3,2001:db8::2 ,\t10.0.0.2", TRUSTED) == CLIENT


@pytest.mark.parametrize("claim", [FORGED, "10.0.0.9", "127.0.0.1", "unknown", "", "x" * 100_000, ",,,", "\udc80"])
def test_what_the_client_itself_wrote_does_not_count(claim: str) -> None:
    assert client_address("10.0.0.1", f"{claim}, {CLIENT}", TRUSTED) == CLIENT
    assert client_address("10.0.0.1", f"{claim}, {CLIENT}, 10.0.0.2", TRUSTED) == CLIENT


@pytest.mark.parametrize("garbled", ["unknown", "", "_hidden", "10.0.0", "<script>", "10.0.0.5 10.0.0.6", "10.0.0.0/8"])
def test_a_garbled_entry_on_the_way_leaves_the_client_unknown(garbled: str) -> None:
    """Else a client could make a proxy's own address count as its own."""
    assert client_address("10.0.0.1", f"{CLIENT}, {garbled}, 10.0.0.2", TRUSTED) == ""
    assert client_address("10.0.0.1", f"{CLIENT}, {garbled}", TRUSTED) == ""
    assert client_address("10.0.0.1", f"{garbled}, {CLIENT}", TRUSTED) == CLIENT


def test_when_all_hops_are_ours_the_first_one_is_the_client() -> None:
    assert client_address("10.0.0.1", "10.0.0.3, 10.0.0.2", TRUSTED) == "10.0.0.3"
    assert client_address("10.0.0.1", "", TRUSTED) == "10.0.0.1"


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.9:1234", CLIENT),
        ("::ffff:203.0.113.9", CLIENT),
        ("[2001:DB9::0:1]:443", "2001:db9::1"),
        ("2001:db9::1", "2001:db9::1"),
    ],
)
def test_the_client_address_is_canonical(entry: str, address: str) -> None:
    assert client_address("10.0.0.1", entry, TRUSTED) == address
    assert client_address(entry, "", TRUSTED) == address


@pytest.mark.parametrize("peer", ["", "unix:", "garbage"])
def test_a_peer_without_an_address_is_trusted_by_no_list(peer: str) -> None:
    assert client_address(peer, CLIENT, ["0.0.0.0/0", "::/0"]) == ""


@given(st.sampled_from(["10.0.0.1", FORGED, ""]), st.text(st.characters()), st.text("0123456789.:, ab[]%"))
def test_any_header_gives_a_canonical_address_or_none(peer: str, any_text: str, likely: str) -> None:
    for header in (any_text, likely, f"{likely},10.0.0.2"):
        found = client_address(peer, header, TRUSTED)
        assert found == (parse_address(found) or "")
        assert found == "" or peer != ""


@given(st.text(st.characters()))
def test_no_claim_changes_what_the_proxy_saw(claim: str) -> None:
    assert client_address("10.0.0.1", f"{claim},{CLIENT}", TRUSTED) == CLIENT
