"""DATABASE_URL, USAGE_DATABASE_URL: a PostgreSQL address, in the URI form of libpq (PostgreSQL manual, 34.1.1.2)."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

SHAPE = re.compile(r"postgres(?:ql)?://(?P<authority>[^/?#]*)/(?P<name>[^/?#@]+)(?:\?(?P<options>[^#]*))?")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
PARTS = ("user", "password", "host", "port")
# What else may stand behind the question mark: libpq's parameters that make sense for a server like this one.
OPTIONS = frozenset(
    (
        "sslmode sslrootcert sslcert sslkey sslpassword sslcrl ssl_min_protocol_version sslnegotiation "
        "channel_binding require_auth gssencmode krbsrvname passfile options application_name connect_timeout "
        "tcp_user_timeout keepalives keepalives_idle keepalives_interval keepalives_count target_session_attrs "
        "load_balance_hosts"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL address in parts; empty strings where the driver's default is meant."""

    name: str
    user: str
    password: str = field(repr=False)
    host: str
    port: str
    options: Mapping[str, str] = field(repr=False)


def parse(url: str) -> Database:
    """The parts of an address. Raises ValueError with a text for the operator that repeats no value: one is a password.

    user, password, host and port may also stand behind the question mark, as a socket's directory usually does.
    """
    match = SHAPE.fullmatch(url)
    if match is None:
        raise ValueError(
            "must be of the form postgresql://user:password@host:5432/name (no other database); "
            "in a user or password write / ? # @ : % percent-encoded."
        )
    try:
        options = dict(parse_qsl(match["options"], strict_parsing=True)) if match["options"] else {}
    except ValueError:
        raise ValueError("what stands behind ? is not of the form name=value&name=value.") from None
    account, _, address = match["authority"].rpartition("@")
    user, _, password = account.partition(":")
    host, port = _host_and_port(address)
    for name, text in zip(PARTS, (user, password, host, port), strict=True):
        if text and name in options:
            raise ValueError(f"{name} is given twice, before and behind the question mark.")
        if text:
            options[name] = unquote(text)
    _check(options)
    parts = {name: options.pop(name, "") for name in PARTS}
    return Database(name=unquote(match["name"]), options=options, **parts)


def _host_and_port(address: str) -> tuple[str, str]:
    """`host:5432`, `[::1]:5432`; a socket's directory is percent-encoded and keeps its letter case."""
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(.*))?", address)
    if bracketed:
        return bracketed[1], bracketed[2] or ""
    host, _, port = address.partition(":")
    return host, port


def _check(options: Mapping[str, str]) -> None:
    for name in sorted(options.keys() - OPTIONS - set(PARTS)):
        near = difflib.get_close_matches(name, OPTIONS, n=1)
        shown = name if re.fullmatch(r"[a-z_]{1,40}", name) else "one"
        raise ValueError(f"of the options, {shown} is not known.{f' Did you mean {near[0]}?' if near else ''}")
    port = options.get("port", "5432")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ValueError("the port is not a number from 1 to 65535.")
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"sslmode is not one of {', '.join(SSL_MODES)}.")
    timeout = options.get("connect_timeout", "5")
    if not (timeout.isascii() and timeout.isdigit()):
        raise ValueError("connect_timeout is not a number of seconds.")
