"""Network addresses: one spelling for each, what a list of networks allows, and who a request came from.

An IPv4 address written as IPv6 (`::ffff:10.0.0.1`, RFC 4291, 2.5.5.2) is that IPv4 address everywhere here: a
dual-stack socket must not let a client round a rule made for IPv4.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAX_TEXT: Final = 100  # more than any address with brackets, zone and port
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
_NETWORK_SHAPE = re.compile(r"[0-9A-Fa-f.:]{1,45}(?:/[0-9]{1,3})?")
_IPV4_WITH_PORT = re.compile(r"([0-9.]{7,15}):[0-9]{1,5}")
_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]{1,5})?")
_ZONED = re.compile(r"([0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*)%[0-9A-Za-z._~-]{1,32}")


def parse_address(text: str) -> str | None:
    """The canonical text of an IP address (RFC 5952 for IPv6), or None if `text` is not one. Never raises.

    Also takes what proxies write: `192.0.2.1:443`, `[2001:db8::1]`, `[2001:db8::1]:443`; the port is dropped.
    The zone of an IPv6 address (`fe80::1%eth0`, RFC 4007) is dropped: it means something on one host only.
    IPv4-mapped IPv6 becomes IPv4. Space around, leading zeros and names are not accepted.
    """
    address = _address(text)
    return None if address is None else str(address)


def parse_network(text: str) -> str:
    """The canonical CIDR text of a network: `10.0.0.0/8`, `2001:db8::/32`; a bare address is /32 or /128.

    Raises ValueError, with a text for users, for anything else: netmasks, ranges, names, and an address with
    bits set beyond the prefix, where the text names the network that was probably meant.
    """
    return str(_network(text))


def contains(networks: Sequence[str], address: str) -> bool:
    """True if `address` is in one of `networks` (texts that `parse_network` takes).

    No networks contain nothing, and what is not an address is in no network. A caller whose empty list means
    "from everywhere" asks for that first. Raises ValueError if one of `networks` is not a network.
    """
    compiled = _compiled(tuple(networks))
    found = _address(address)
    return found is not None and any(found in network for network in compiled)


def widens(before: Sequence[str], after: Sequence[str]) -> bool:
    """True if the list `after` allows an address that `before` did not; here an empty list allows every one.

    Raises ValueError if a text in either is not a network.
    """
    # Collapsed, two halves count as their whole; then a network that is covered at all lies in a single one.
    allowed = _compiled(tuple(before) or _EVERYWHERE)
    wanted = _compiled(tuple(after) or _EVERYWHERE)
    return not all(any(_covers(wide, network) for wide in allowed) for network in wanted)


def client_address(peer: str, forwarded_for: str, trusted: Sequence[str]) -> str:
    """The address of the client: `peer`, or what trusted proxies say of it.

    `peer` is the other end of the connection, `forwarded_for` the X-Forwarded-For header ("" if there is
    none), `trusted` the networks of our own proxies. Only if the peer is one of them is the header read, from
    the right, because each proxy appends: the first entry that is not a proxy of ours is the client, and what
    stands left of it is the client's own claim. An entry on the way that is no address leaves the client unknown.
    The result is canonical, or "" if it is unknown or the peer has no address (a unix socket): no network holds it.
    Raises ValueError if one of `trusted` is not a network.
    """
    hop = parse_address(peer) or ""
    entries = forwarded_for.split(",") if forwarded_for else []
    while entries and contains(trusted, hop):
        hop = parse_address(entries.pop().strip(" \t")) or ""
    return hop


def _address(text: str) -> Address | None:
    if len(text) > _MAX_TEXT:
        return None
    if match := _IPV4_WITH_PORT.fullmatch(text):
        text = match[1]
    elif match := _BRACKETED.fullmatch(text):
        text = match[1]
        if ":" not in text:  # RFC 3986, 3.2.2: brackets hold IPv6
            return None
    if match := _ZONED.fullmatch(text):
        text = match[1]
    if "%" in text:
        return None
    try:
        return _unmapped(ip_address(text))
    except ValueError:
        return None


def _network(text: str) -> Network:
    if not _NETWORK_SHAPE.fullmatch(text):  # not echoed: a key may have been pasted into the wrong field
        raise ValueError("That is not a network. Write one such as 10.0.0.0/8 or 2001:db8::/32.")
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text} is not a network.") from None
    right = _unmapped_network(network)
    if ip_address(text.partition("/")[0]) != network.network_address:
        raise ValueError(f"{text} has bits set beyond its prefix. The network is {right}.")
    return right


def _unmapped(address: Address) -> Address:
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _unmapped_network(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


@lru_cache(maxsize=1024)
def _compiled(networks: tuple[str, ...]) -> tuple[Network, ...]:
    parsed = [_network(text) for text in networks]
    return (
        *collapse_addresses(network for network in parsed if isinstance(network, IPv4Network)),
        *collapse_addresses(network for network in parsed if isinstance(network, IPv6Network)),
    )


def _covers(wide: Network, network: Network) -> bool:
    if isinstance(wide, IPv4Network):
        return isinstance(network, IPv4Network) and network.subnet_of(wide)
    return isinstance(network, IPv6Network) and network.subnet_of(wide)
