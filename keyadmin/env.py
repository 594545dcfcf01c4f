"""The environment, read once and checked: nonsense in any variable stops the start with one clear line."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from keyadmin.kernel import addresses, master

ROOT = Path(__file__).resolve().parent.parent

BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
SCHEMES = ("hmac_sha256", "pbkdf2_sha256")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII)

# Variables of the contract that a later room reads; known here so that they are not taken for typing errors.
READ_ELSEWHERE = frozenset({"KEYADMIN_MAIL_FROM", "KEYADMIN_SOAK"})


class EnvError(ValueError):
    """One line for the operator: which variable is wrong, why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Database:
    """A PostgreSQL address in parts; empty strings where the driver's default is meant."""

    name: str
    user: str
    password: str
    host: str
    port: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Env:
    """All that the environment decides, typed. Addresses are canonical, networks are CIDR texts."""

    debug: bool
    host: str
    port: int
    workers: int
    data_dir: Path
    database: Database | None
    public_url: str
    trusted_proxies: tuple[str, ...]
    master: master.Master
    key_prefix: str
    hash_scheme: str
    rounds: int
    sample: bool
    admin_email: str
    admin_password: str
    organization: str
    unknown: tuple[str, ...]


def read(environ: Mapping[str, str]) -> Env:
    """Return the checked environment; raise EnvError at the first wrong variable.

    Creates the data directory and, where no master key is given, the master key in it.
    """
    data_dir = Path(environ.get("KEYADMIN_DATA_DIR") or ROOT / "var").expanduser().resolve()
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvError(f"KEYADMIN_DATA_DIR: can't use {data_dir}: {error.strerror}.") from None
    if _boolean(environ, "KEYADMIN_REQUIRE_SITE_KEY", default=False):
        raise EnvError("KEYADMIN_REQUIRE_SITE_KEY: this version has no site keys; unset it, it would protect nothing.")
    email, password, organization = _first_administrator(environ)
    known = KNOWN | READ_ELSEWHERE
    return Env(
        debug=_boolean(environ, "KEYADMIN_DEBUG", default=False),
        host=_host(environ),
        port=_integer(environ, "KEYADMIN_PORT", 8000, 1, 65535),
        workers=_integer(environ, "KEYADMIN_WORKERS", 1, 1, 512),
        data_dir=data_dir,
        database=_database(environ.get("DATABASE_URL", "")),
        public_url=_public_url(environ.get("KEYADMIN_PUBLIC_URL", "")),
        trusted_proxies=_networks(environ.get("KEYADMIN_TRUSTED_PROXIES", "")),
        master=_master(environ, data_dir),
        key_prefix=_prefix(environ.get("KEYADMIN_KEY_PREFIX", "ka")),
        hash_scheme=_choice(environ, "KEYADMIN_HASH_SCHEME", SCHEMES),
        rounds=_integer(environ, "API_KEY_ROUNDS_NO", 30_000, 1, 100_000_000),
        sample=_boolean(environ, "KEYADMIN_SAMPLE", default=True),
        admin_email=email,
        admin_password=password,
        organization=organization,
        unknown=tuple(sorted(name for name in environ if name.startswith("KEYADMIN_") and name not in known)),
    )


KNOWN = frozenset(
    "KEYADMIN_" + name
    for name in (
        "DEBUG HOST PORT WORKERS DATA_DIR PUBLIC_URL TRUSTED_PROXIES MASTER_KEY MASTER_KEY_FILE KEY_PREFIX "
        "HASH_SCHEME SAMPLE ADMIN_EMAIL ADMIN_PASSWORD ORG REQUIRE_SITE_KEY"
    ).split()
)


def _boolean(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text not in BOOLEANS:
        raise EnvError(f"{name}: {text!r} is neither on nor off.")
    return BOOLEANS[text]


def _integer(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
        raise EnvError(f"{name}: {text!r} is not a whole number from {low} to {high}.")
    return int(text)


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = environ.get(name, "").strip() or choices[0]
    if text not in choices:
        raise EnvError(f"{name}: {text!r} is not one of {', '.join(choices)}.")
    return text


def _host(environ: Mapping[str, str]) -> str:
    text = environ.get("KEYADMIN_HOST", "").strip().lower() or "127.0.0.1"
    if addresses.parse_address(text) is None and not HOST.fullmatch(text):
        raise EnvError(f"KEYADMIN_HOST: {text!r} is neither an IP address nor a host name.")
    return text


def _prefix(text: str) -> str:
    text = text.strip()
    if not re.fullmatch(r"[a-z][a-z0-9]{0,15}", text, re.ASCII):
        raise EnvError(f"KEYADMIN_KEY_PREFIX: {text!r} must be 1 to 16 lower-case letters and digits, a letter first.")
    return text


def _public_url(text: str) -> str:
    text = text.strip().rstrip("/")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise EnvError(f"KEYADMIN_PUBLIC_URL: {text!r} is not an address.") from None
    bare = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or not bare or not port_is_fine:
        raise EnvError(f"KEYADMIN_PUBLIC_URL: {text!r} must look like https://keys.example.org, without a path.")
    return text


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(addresses.parse_network(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise EnvError(f"KEYADMIN_TRUSTED_PROXIES: {error}") from None


def _master(environ: Mapping[str, str], data_dir: Path) -> master.Master:
    given, path = environ.get("KEYADMIN_MASTER_KEY", "").strip(), environ.get("KEYADMIN_MASTER_KEY_FILE", "").strip()
    if given and path:
        raise EnvError("KEYADMIN_MASTER_KEY and KEYADMIN_MASTER_KEY_FILE are both set; set one.")
    try:
        if given:
            return master.Master.from_base64(given)
        if path:
            return master.load(Path(path).expanduser())
        return master.load_or_create(data_dir / "master.key")
    except (OSError, master.MasterKeyError) as error:
        name = "KEYADMIN_MASTER_KEY" if given else "KEYADMIN_MASTER_KEY_FILE" if path else "Master key"
        raise EnvError(f"{name}: {error}") from None


def _database(url: str) -> Database | None:
    if not url.strip():
        return None
    try:
        parts = urlsplit(url.strip())
        port = "" if parts.port is None else str(parts.port)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise EnvError("DATABASE_URL: not an address of the form postgresql://user:password@host:5432/name.") from None
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("postgres", "postgresql") or not name:
        raise EnvError(
            "DATABASE_URL: must be of the form postgresql://user:password@host:5432/name (no other database)."
        )
    return Database(
        name=name,
        user=unquote(parts.username or options.pop("user", "")),
        password=unquote(parts.password or options.pop("password", "")),
        host=unquote(parts.hostname or options.pop("host", "")),
        port=port or options.pop("port", ""),
        options=options,
    )


def _first_administrator(environ: Mapping[str, str]) -> tuple[str, str, str]:
    email = environ.get("KEYADMIN_ADMIN_EMAIL", "").strip()
    password = environ.get("KEYADMIN_ADMIN_PASSWORD", "")
    organization = environ.get("KEYADMIN_ORG", "").strip()
    if bool(email) != bool(password):
        missing = "KEYADMIN_ADMIN_PASSWORD" if email else "KEYADMIN_ADMIN_EMAIL"
        raise EnvError(f"{missing}: missing; the first administrator needs an e-mail address and a password.")
    if email and not re.fullmatch(r"[^@\s\x00]+@[^@\s\x00]+", email):
        raise EnvError(f"KEYADMIN_ADMIN_EMAIL: {email!r} is not an e-mail address.")
    return email, password, organization or "Default"


def allowed_hosts(env: Env) -> list[str]:
    """The host names that are answered: the public address, the bind address, and localhost."""
    hosts = {"localhost", "127.0.0.1", "[::1]"}
    if env.public_url:
        hosts.add(_bracketed(urlsplit(env.public_url).hostname or ""))
    try:
        everywhere = ipaddress.ip_address(env.host).is_unspecified
    except ValueError:
        everywhere = False
    if not everywhere:
        hosts.add(_bracketed(env.host))
    return sorted(hosts)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
