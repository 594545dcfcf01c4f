"""Requests that try to carry a header of their own past a gateway: spellings, framings, bytes that do not belong."""

from collections.abc import Iterator
from itertools import product

CANARY = "planted"
OURS = ("Key-Id", "Owner", "Organization", "Kind", "Environment", "Permissions", "Segment", "Request-Id")
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: <host>\r\nX-Auth-Owner: planted\r\n\r\n"


def variants() -> list[tuple[str, str]]:
    """Name and raw request of each. `<key>` stands for a right key, `<host>` for the gateway's address."""
    return [*_spellings(), *_odd_names(), *_duplicates(), *_lines(), *_framings(), *_targets()]


def _request(*lines: str, first: str = "GET /orders HTTP/1.1", body: str = "") -> str:
    return "\r\n".join([first, "Host: <host>", "X-API-KEY: <key>", *lines, "", body])


def _spellings() -> Iterator[tuple[str, str]]:
    """Letter case, and underscores in each place where a hyphen is."""
    for short in OURS:
        name = f"X-Auth-{short}"
        for spelled in (name, name.lower(), name.upper(), name.swapcase()):
            yield f"case {spelled}", _request(f"{spelled}: {CANARY}")
        parts = name.split("-")
        for glue in product("-_", repeat=len(parts) - 1):
            spelled = "".join(map("".join, zip(parts, (*glue, ""), strict=True)))
            if "_" in spelled:
                yield f"underscores {spelled}", _request(f"{spelled}: {CANARY}")
                yield f"underscores {spelled.lower()}", _request(f"{spelled.lower()}: {CANARY}")


def _odd_names() -> Iterator[tuple[str, str]]:
    """Bytes in, before and behind the name."""
    for byte in (
        "\0",
        "\t",
        " ",
        "\x01",
        "\x0b",
        "\x0c",
        "\x1f",
        "\x7f",
        "\x80",
        "\xa0",
        "\xad",
        "\xff",
        ".",
        "+",
        "'",
    ):
        for place, name in (
            ("before", f"{byte}X-Auth-Owner"),
            ("behind", f"X-Auth-Owner{byte}"),
            ("within", f"X-Auth{byte}Owner"),
            ("beside", f"X-Auth-{byte}Owner"),
        ):
            yield f"byte {byte!r} {place}", _request(f"{name}: {CANARY}")
    for name in ("X--Auth-Owner", "X-Auth--Owner", "-X-Auth-Owner", "X-Auth-Owner-", "X.Auth.Owner", "X Auth Owner"):
        yield f"name {name}", _request(f"{name}: {CANARY}")
    yield "no colon", _request(f"X-Auth-Owner {CANARY}")
    yield "empty name", _request(f": X-Auth-Owner: {CANARY}")
    yield "nul in the value", _request(f"X-Auth-Owner: {CANARY}\0")
    yield "bytes in the value", _request(f"X-Auth-Owner: \x80{CANARY}\xff")
    yield "no space", _request(f"X-Auth-Owner:{CANARY}")
    yield "tabs around", _request(f"X-Auth-Owner:\t{CANARY}\t")
    yield "long value", _request(f"X-Auth-Owner: {CANARY * 900}")


def _duplicates() -> Iterator[tuple[str, str]]:
    for first, second in (
        ("X-Auth-Owner", "X-Auth-Owner"),
        ("X-Auth-Owner", "x-auth-owner"),
        ("X_Auth_Owner", "X-Auth-Owner"),
        ("x-auth_owner", "X_AUTH-OWNER"),
    ):
        for values in ((CANARY, CANARY), ("", CANARY), (CANARY, "")):
            lines = (f"{first}: {values[0]}", f"{second}: {values[1]}")
            yield f"twice {lines}", _request(*lines)
    yield "many times", _request(*[f"X-Auth-Owner: {CANARY}"] * 50)
    for named in ("X-Auth-Owner", "close, x-auth-key-id, X-Auth-Owner", "X_Auth_Owner", "X-API-KEY", "keep-alive"):
        yield f"connection {named}", _request(f"Connection: {named}", f"X-Auth-Owner: {CANARY}")
        yield f"connection {named} alone", _request(f"Connection: {named}")
    yield "connection twice", _request("Connection: close", "Connection: X-Auth-Owner", f"X-Auth-Owner: {CANARY}")
    yield "connection by underscore", _request("Connection: close", "connection: a,X-AUTH-KEY-ID , b")
    yield "upgrade", _request("Connection: Upgrade, X-Auth-Owner", "Upgrade: odd", f"X-Auth-Owner: {CANARY}")
    yield "trailer announced", _request("Trailer: X-Auth-Owner", f"X-Auth-Owner: {CANARY}")


def _lines() -> Iterator[tuple[str, str]]:
    """Line folding, and ends of lines that are none."""
    for end in ("\r\n", "\n", "\r", "\r\r\n", "\n\r", "\0\r\n", "\x0b", "\x85", "\r\n\t", "\r\n "):
        yield f"folded by {end!r}", _request(f"X-Odd: a{end} X-Auth-Owner: {CANARY}")
        yield f"new line by {end!r}", _request(f"X-Odd: a{end}X-Auth-Owner: {CANARY}")
        yield f"value after {end!r}", _request(f"X-Auth-Owner:{end} {CANARY}")
    yield (
        "folded at first",
        f"GET /orders HTTP/1.1\r\n X-Auth-Owner: {CANARY}\r\nHost: <host>\r\nX-API-KEY: <key>\r\n\r\n",
    )
    yield "bare line feeds", _request(f"X-Auth-Owner: {CANARY}").replace("\r\n", "\n")
    yield "folded key", _request(f"X-Odd: b\r\n\tX-Auth_Owner: {CANARY}")


def _framings() -> Iterator[tuple[str, str]]:
    """A second request in the body of the first, for whoever counts otherwise."""
    post, length = "POST /orders HTTP/1.1", len(HIDDEN)
    chunked = f"{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n"
    short = f"0\r\n\r\n{HIDDEN}"
    for coding in (
        *("chunked", "Chunked", "xchunked", "chunked, identity", "identity, chunked", "identity", "gzip, chunked", ""),
        *("\x0bchunked", "chunked\x0b", "\tchunked", " chunked ", "chunked;q=1", '"chunked"', "chunked\0", "cow"),
    ):
        yield (
            f"coding {coding!r} and length",
            _request(f"Transfer-Encoding: {coding}", f"Content-Length: {len(short)}", first=post, body=short),
        )
        yield f"coding {coding!r}", _request(f"Transfer-Encoding: {coding}", first=post, body=short)
    for name in ("Transfer_Encoding", "Transfer-Encoding ", " Transfer-Encoding", "Transfer-Encoding\t", "TE"):
        yield (
            f"coding by {name!r}",
            _request(f"{name}: chunked", f"Content-Length: {len(short)}", first=post, body=short),
        )
    for lengths in (("0", str(length)), (str(length), "0"), (f"0, {length}",), ("+0",), ("-1",), ("0x0",), ("1e1",)):
        yield f"lengths {lengths}", _request(*(f"Content-Length: {one}" for one in lengths), first=post, body=HIDDEN)
    yield "length by underscore", _request("Content_Length: 0", f"Content-Length: {length}", first=post, body=HIDDEN)
    yield "length 0", _request("Content-Length: 0", first=post, body=HIDDEN)
    yield "pipelined", _request(body=HIDDEN)
    yield "in a chunk", _request("Transfer-Encoding: chunked", first=post, body=chunked)
    for size in ("0;X-Auth-Owner", "+0", "0x0", " 0", "00000000000000000", "0\0", "-0", "ffffffffffffffff1"):
        body = f"{size}\r\n\r\n{HIDDEN}"
        yield f"chunk of {size!r}", _request("Transfer-Encoding: chunked", first=post, body=body)
    trailer = f"0\r\nX-Auth-Owner: {CANARY}\r\n\r\n"
    yield "trailer", _request("Transfer-Encoding: chunked", "Trailer: X-Auth-Owner", first=post, body=trailer)
    yield "trailer unannounced", _request("Transfer-Encoding: chunked", first=post, body=trailer)
    yield "expected", _request("Expect: 100-continue", f"Content-Length: {length}", first=post, body=HIDDEN)


def _targets() -> Iterator[tuple[str, str]]:
    planted = f"X-Auth-Owner: {CANARY}"
    for first in (
        f"GET /orders?a HTTP/1.1\r\n{planted}",
        f"GET /orders HTTP/1.0\r\n{planted}",
        f"GET http://<host>/orders HTTP/1.1\r\n{planted}",
        f"GET http://evil.example/orders HTTP/1.1\r\n{planted}",
        f"GET  /orders HTTP/1.1\r\n{planted}",
        f"GET\t/orders\tHTTP/1.1\r\n{planted}",
        f"GET /orders HTTP/1.1 \r\n{planted}",
        f"GET /orders HTTP/2.0\r\n{planted}",
        f"GET /orders HTTP/9.9\r\n{planted}",
        f"GET /orders\r\n{planted}",
        f"GET /orders%0d%0aX-Auth-Owner:%20{CANARY} HTTP/1.1",
        f"GET /orders?%0d%0aX-Auth-Owner:%20{CANARY} HTTP/1.1",
        f"GET /orders\0 HTTP/1.1\r\n{planted}",
        f"GET /../verify HTTP/1.1\r\n{planted}",
        f"GET /keyadmin HTTP/1.1\r\n{planted}",
        f"GET /%6beyadmin HTTP/1.1\r\n{planted}",
        f"CONNECT <host> HTTP/1.1\r\n{planted}",
        f"OPTIONS * HTTP/1.1\r\n{planted}",
        f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{planted}",
        f"\r\n\r\nGET /orders HTTP/1.1\r\n{planted}",
    ):
        yield f"target {first!r}", _request(first=first)
