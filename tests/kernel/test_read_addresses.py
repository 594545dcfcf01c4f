"""One spelling for each address and network, and whether a list of networks contains an address."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel.addresses import contains, parse_address, parse_network

any_text = st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("255.255.255.255", "255.255.255.255"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("::", "::"),
        # RFC 5952, 4.2.3: of two runs of zeros the longer one is shortened
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("192.0.2.1:443", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25]:80", "fe80::1"),
    ],
)
def test_an_address_has_one_spelling(text: str, canonical: str) -> None:
    assert parse_address(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "192.0.2.1 ",
        "192.0.2.1\n",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.01",
        "0x7f.0.0.1",
        "2130706433",
        "192.0.2.1/32",
        "192.0.2.1:",
        "192.0.2.1:http",
        "192.0.2.1:443:443",
        "[192.0.2.1]:443",
        "[2001:db8::1",
        "2001:db8::1]",
        "[[2001:db8::1]]",
        "[2001:db8::1]443",
        "2001:db8:::1",
        "1:2:3:4:5:6:7:8:9",
        "192.0.2.1%eth0",
        "::ffff:192.0.2.01",
        "fe80::1%",
        "fe80::1%eth0%eth1",
        "fe80::1%<script>",
        "%eth0",
        '"192.0.2.1"',
        "for=192.0.2.1",
        "192.0.2.1,192.0.2.2",
        "\N{ARABIC-INDIC DIGIT ONE}92.0.2.1",
        "\N{FULLWIDTH DIGIT ONE}92.0.2.1",
        "::" + "1" * 10_000,
        ":" * 500_000,  # would keep the patterns busy for minutes, if they got to see it
    ],
)
def test_what_is_not_an_address_is_none(text: str) -> None:
    assert parse_address(text) is None


@given(any_text, st.text("0123456789abcdef:.%[]/", max_size=60))
def test_reading_an_address_never_raises(any_: str, likely: str) -> None:
    for text in (any_, likely, f"[{likely}]:80", "::ffff:" + likely):
        canonical = parse_address(text)
        assert canonical is None or parse_address(canonical) == canonical == str(ip_address(canonical))


@given(st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(0, 2**128 - 1).map(IPv6Address))
def test_every_address_is_read_in_all_its_spellings(four: IPv4Address, six: IPv6Address) -> None:
    assert parse_address(str(four)) == parse_address(f"::ffff:{four}") == parse_address(f"{four}:1") == str(four)
    if six.ipv4_mapped is None:
        assert parse_address(six.exploded) == parse_address(f"[{six}]:65535") == str(six)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8:0::/32", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("::/0", "::/0"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
    ],
)
def test_a_network_has_one_spelling(text: str, canonical: str) -> None:
    assert parse_network(text) == canonical
    assert parse_network(canonical) == canonical


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("10.0.0.5/8", "10.0.0.0/8"),
        ("192.0.2.129/25", "192.0.2.128/25"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:10.0.0.5/104", "10.0.0.0/8"),
    ],
)
def test_bits_beyond_the_prefix_are_refused_naming_the_right_network(text: str, right: str) -> None:
    with pytest.raises(ValueError, match="beyond its prefix") as refusal:
        parse_network(text)
    assert str(refusal.value) == f"{text} has bits set beyond its prefix. The network is {right}."


@pytest.mark.parametrize("text", ["10.0.0.0/33", "2001:db8::/129", "10.0.0/8", "10.0.0.256", "1:2:3", "10.0.00.1/32"])
def test_an_impossible_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a network") as refusal:
        parse_network(text)
    assert str(refusal.value) == f"{text} is not a network."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "office",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/0.255.255.255",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        " 10.0.0.0/8",
        "10.0.0.0/8\n",
        "10.0.0.1-10.0.0.9",
        "10.0.0.*",
        "[2001:db8::]/32",
        "fe80::%eth0/64",
        "10.0.0.0/\N{FULLWIDTH DIGIT EIGHT}",
        "ka_live_8f3kQ2mZp0Xa",
    ],
)
def test_what_is_no_network_at_all_is_refused_without_echo(text: str) -> None:
    with pytest.raises(ValueError, match="not a network") as refusal:
        parse_network(text)
    assert str(refusal.value) == "That is not a network. Write one such as 10.0.0.0/8 or 2001:db8::/32."


@given(any_text, st.text("0123456789abcdef:./", max_size=50))
def test_reading_a_network_raises_only_value_errors(any_: str, likely: str) -> None:
    for text in (any_, likely, f"{likely}/24", "::ffff:" + likely):
        try:
            canonical = parse_network(text)
        except ValueError:
            continue
        assert str(ip_network(canonical)) == canonical


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:11.1.2.3", False),
        ("2001:db8::1", True),
        ("2001:DB8:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF", True),
        ("2001:db9::", False),
        ("::a00:1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_a_list_contains_the_addresses_of_its_networks(address: str, expected: bool) -> None:
    networks = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]
    assert contains(networks, address) is expected
    assert contains(tuple(networks), address) is expected


def test_a_network_written_as_ipv6_contains_the_ipv4_addresses_it_means() -> None:
    assert contains(["::ffff:10.0.0.0/104"], "10.1.2.3")
    assert not contains(["::/0"], "10.1.2.3")


def test_an_empty_list_contains_nothing() -> None:
    assert not contains([], "10.0.0.1")


def test_a_list_that_was_changed_is_read_again() -> None:
    networks = ["10.0.0.0/8"]
    assert not contains(networks, "192.0.2.1")
    networks.append("192.0.2.0/24")
    assert contains(networks, "192.0.2.1")


def test_a_list_that_holds_no_network_is_an_error_not_an_answer() -> None:
    with pytest.raises(ValueError, match="not a network"):
        contains(["10.0.0.0/8", "office"], "10.0.0.1")
