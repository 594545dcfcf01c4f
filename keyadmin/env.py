"""The environment, read once and checked: nonsense in any variable stops the start with one clear line."""

import errno
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from keyadmin import database_url
from keyadmin.database_url import Database
from keyadmin.kernel import addresses, config_file, hashing, master, tokens
from keyadmin.kernel.errors import InvalidError
from keyadmin.kernel.text import clean_line

ROOT = Path(__file__).resolve().parent.parent

BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
SCHEMES = ("hmac_sha256", "pbkdf2_sha256")
# A host name; its last label is no number (WHATWG URL: "ends in a number"), or it would be a broken IPv4 address.
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*(?![0-9]+\.?$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)
CHECKED_AS_TEXT = frozenset({"API_KEY_ROUNDS_NO", "DATABASE_URL", "EMAIL_URL", "REDIS_URL", "USAGE_DATABASE_URL"})
REDIS_SCHEMES = ("redis", "rediss", "unix")
ROUNDS_VARIABLE = "API_KEY_ROUNDS_NO"
ROUNDS_BY_DEFAULT = "default"  # a source; the others are the variable and the path of a file
CONFIG_NAME = "config.yml"  # in the data directory
MACHINE_CONFIG = Path("/etc/keyadmin/config.yml")  # for every installation on the machine
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_SHOWN = 120
ORGANIZATION_LENGTH, EMAIL_LENGTH = 150, 254

READ_ELSEWHERE = frozenset({"KEYADMIN_SOAK"})


class EnvError(ValueError):
    """One line for the operator: which variable is wrong, why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server. `smtp+tls` is STARTTLS, `smtps` is TLS from the first byte, `smtp` is neither."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID Connect provider, and what it knows this installation by."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "single sign-on"


@dataclass(frozen=True, slots=True)
class Env:
    """All that the environment decides, typed. Addresses are canonical, networks are CIDR texts."""

    debug: bool
    host: str
    port: int
    workers: int
    data_dir: Path
    database: Database | None
    usage_database: Database | None
    redis_url: str = field(repr=False)
    public_url: str
    trusted_proxies: tuple[str, ...]
    metrics_address: tuple[str, int] | None
    mail: Mail | None
    mail_from: str
    oidc: Oidc | None
    master: master.Master
    key_prefix: str
    hash_scheme: str
    rounds: int
    rounds_source: str
    require_site_key: bool
    sample: bool
    admin_email: str
    admin_password: str = field(repr=False)
    organization: str
    unknown: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def rounds_are_given(self) -> bool:
        """Whether the number of rounds was found here, so that a number saved in the database has no effect."""
        return self.rounds_source != ROUNDS_BY_DEFAULT


def read(environ: Mapping[str, str], *, machine_config: Path = MACHINE_CONFIG) -> Env:
    """Return the checked environment; raise EnvError at the first wrong variable, or line of a `config.yml`.

    Creates the data directory and, where no master key is given, the master key in it; that comes last, so that
    nothing is made for an environment that is refused.
    """
    _require_text(environ)
    email, password, organization = _first_administrator(environ)
    known = KNOWN | READ_ELSEWHERE
    unused = ("KEYADMIN_ORG",) if organization and not email else ()
    rounds_given, rounds_of_machine = _given_rounds(environ), _rounds_in(machine_config)
    return Env(
        debug=_boolean(environ, "KEYADMIN_DEBUG", default=False),
        host=_host(environ),
        port=_integer(environ, "KEYADMIN_PORT", 8000, 1, 65535),
        workers=_integer(environ, "KEYADMIN_WORKERS", 1, 1, 512),
        database=(database := _database(environ, "DATABASE_URL")),
        usage_database=None if (usage := _database(environ, "USAGE_DATABASE_URL")) == database else usage,
        redis_url=_redis(environ.get("REDIS_URL", "")),
        public_url=(public_url := _public_url(environ.get("KEYADMIN_PUBLIC_URL", ""))),
        trusted_proxies=_networks(environ.get("KEYADMIN_TRUSTED_PROXIES", "")),
        metrics_address=_metrics_address(environ.get("KEYADMIN_METRICS_ADDRESS", "")),
        mail=_mail(environ.get("EMAIL_URL", "")),
        mail_from=_sender(environ.get("KEYADMIN_MAIL_FROM", ""), public_url),
        oidc=_oidc(environ),
        key_prefix=_prefix(environ.get("KEYADMIN_KEY_PREFIX", "")),
        hash_scheme=_choice(environ, "KEYADMIN_HASH_SCHEME", SCHEMES),
        require_site_key=_boolean(environ, "KEYADMIN_REQUIRE_SITE_KEY", default=False),
        sample=_boolean(environ, "KEYADMIN_SAMPLE", default=True),
        admin_email=email,
        admin_password=password,
        organization=organization or "Default",
        unknown=tuple(sorted(name for name in environ if name.startswith("KEYADMIN_") and name not in known)),
        unused=unused,
        data_dir=(data_dir := _data_dir(environ)),
        rounds=(rounds := _first_given(rounds_given, _rounds_in(data_dir / CONFIG_NAME), rounds_of_machine))[0],
        rounds_source=rounds[1],
        master=_master(environ, data_dir),
    )


KNOWN = frozenset(
    "KEYADMIN_" + name
    for name in (
        "DEBUG HOST PORT WORKERS DATA_DIR PUBLIC_URL TRUSTED_PROXIES MASTER_KEY MASTER_KEY_FILE KEY_PREFIX "
        "METRICS_ADDRESS HASH_SCHEME SAMPLE MAIL_FROM OIDC_ISSUER OIDC_CLIENT_ID OIDC_CLIENT_SECRET OIDC_NAME "
        "ADMIN_EMAIL ADMIN_PASSWORD ORG REQUIRE_SITE_KEY"
    ).split()
)


def _require_text(environ: Mapping[str, str]) -> None:
    for name, value in environ.items():
        if name in CHECKED_AS_TEXT or name.startswith("KEYADMIN_"):
            try:
                (name + value).encode()
            except UnicodeEncodeError:
                raise EnvError(f"{ascii(name)[1:-1]}: this is not text in UTF-8.") from None


def _boolean(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text not in BOOLEANS:
        raise EnvError(f"{name}: {_shown(text)} is neither on nor off.")
    return BOOLEANS[text]


def _integer(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
        raise EnvError(f"{name}: {_shown(text)} is not a whole number from {low} to {high}.")
    return int(text)


def _given_rounds(environ: Mapping[str, str]) -> tuple[int, str]:
    """The number in the environment, 0 if there is none, and the name of this source."""
    return _integer(environ, ROUNDS_VARIABLE, 0, 1, hashing.MOST_ROUNDS), ROUNDS_VARIABLE


def _rounds_in(config: Path) -> tuple[int, str]:
    """The number in a `config.yml`, 0 if there is no such file, or none in it, and the name of this source."""
    try:
        return config_file.read(config).get(config_file.ROUNDS_NAME, 0), str(config)
    except config_file.ConfigFileError as error:
        raise EnvError(str(error)) from None


def _first_given(*sources: tuple[int, str]) -> tuple[int, str]:
    """The first source that has a number; highest first.

    A setting that is saved in the database comes below all of them and above the default (instance.queries).
    """
    return next((source for source in sources if source[0]), (hashing.DEFAULT_ROUNDS, ROUNDS_BY_DEFAULT))


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = environ.get(name, "").strip() or choices[0]
    if text not in choices:
        raise EnvError(f"{name}: {_shown(text)} is not one of {', '.join(choices)}.")
    return text


def _data_dir(environ: Mapping[str, str]) -> Path:
    # From the project's directory, wherever a command is typed: the same installation for all of them.
    text = environ.get("KEYADMIN_DATA_DIR", "").strip() or "var"
    try:
        path = (ROOT / Path(text).expanduser()).resolve()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, RuntimeError) as error:  # RuntimeError: no such home, a circle of links
        why = getattr(error, "strerror", None) or str(error)
        raise EnvError(f"KEYADMIN_DATA_DIR: can't use {_shown(text)}: {why}.") from None
    return path


def _host(environ: Mapping[str, str]) -> str:
    text = environ.get("KEYADMIN_HOST", "").strip().lower() or "127.0.0.1"
    host = _canonical_host(text.removeprefix("[").removesuffix("]"))
    if host is None:
        raise EnvError(f"KEYADMIN_HOST: {_shown(text)} is neither an IP address nor a host name.")
    return host


def _canonical_host(text: str) -> str | None:
    """An IP address in its one spelling, or a host name in lower case; None for neither."""
    try:
        return None if "%" in text else str(ipaddress.ip_address(text))
    except ValueError:
        return text if len(text) <= 253 and HOST.fullmatch(text) else None


def _prefix(text: str) -> str:
    text = text.strip() or "ka"
    if not re.fullmatch(r"[a-z][a-z0-9]{0,15}", text, re.ASCII):
        raise EnvError(
            f"KEYADMIN_KEY_PREFIX: {_shown(text)} must be 1 to 16 lower-case letters and digits, a letter first."
        )
    return text


def _public_url(text: str) -> str:
    """The address as browsers send it in Origin (RFC 6454): lower case, without a default port."""
    text = text.strip().rstrip("/")
    if not text:
        return ""
    if "@" in text:  # not echoed: there may be a password before it
        raise EnvError("KEYADMIN_PUBLIC_URL: must look like https://keys.example.org, without a user or password.")
    try:
        parts = urlsplit(text.lower())
        scheme, host, port = parts.scheme, _canonical_host(parts.hostname or ""), parts.port
    except ValueError:
        raise EnvError(f"KEYADMIN_PUBLIC_URL: {_shown(text)} is not an address.") from None
    bare = text.lower() in (f"{scheme}://{parts.netloc}", f"{scheme}://{parts.netloc}/")
    if scheme not in DEFAULT_PORTS or not host or not bare or port == 0 or parts.netloc.endswith(":"):
        raise EnvError(f"KEYADMIN_PUBLIC_URL: {_shown(text)} must look like https://keys.example.org, without a path.")
    ending = "" if port in (None, DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{_bracketed(host)}{ending}"


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(addresses.parse_network(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise EnvError(f"KEYADMIN_TRUSTED_PROXIES: {error}") from None


def _metrics_address(text: str) -> tuple[str, int] | None:
    """A host and a port; an IPv6 address stands in brackets."""
    text = text.strip().lower()
    if not text:
        return None
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    found = _canonical_host(host[1:-1] if bracketed else host)
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
    if found is None or bracketed != (":" in found) or not 0 < number < 65536:
        raise EnvError(f"KEYADMIN_METRICS_ADDRESS: {_shown(text)} must look like 127.0.0.1:9100 or [::1]:9100.")
    return found, number


def _mail(text: str) -> Mail | None:
    """The server that EMAIL_URL names. The address is never echoed: there may be a password in it."""
    text = text.strip()
    if not text:
        return None
    example = "must look like smtp+tls://user:password@mail.example.org:587 (or smtps://, or smtp:// without TLS)"
    try:
        parts = urlsplit(text)
        host, port = _canonical_host((parts.hostname or "").lower()), parts.port
    except ValueError:
        raise EnvError(f"EMAIL_URL: this is not an address; it {example}.") from None
    bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in MAIL_PORTS or not host or not bare or port == 0:
        raise EnvError(f"EMAIL_URL: {example}. Characters such as / in a password are written as %2F.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Mail(parts.scheme, host, port or MAIL_PORTS[parts.scheme], user, password)


def _sender(text: str, public_url: str) -> str:
    given = text.strip()
    sender = given or f"keyadmin@{urlsplit(public_url).hostname or 'localhost'}"
    try:
        validate_email(sender)
    except ValidationError:
        if given:
            raise EnvError(f"KEYADMIN_MAIL_FROM: {_shown(given)} is not an e-mail address.") from None
        return "keyadmin@localhost"
    return sender


def _oidc(environ: Mapping[str, str]) -> Oidc | None:
    needed = ("KEYADMIN_OIDC_ISSUER", "KEYADMIN_OIDC_CLIENT_ID", "KEYADMIN_OIDC_CLIENT_SECRET")
    given = {name: environ.get(name, "").strip() for name in (*needed, "KEYADMIN_OIDC_NAME")}
    if not any(given.values()):
        return None
    for name in needed:
        if not given[name]:
            raise EnvError(f"{name}: missing; single sign-on needs {', '.join(needed)}.")
    issuer, client_id, secret = (given[name] for name in needed)
    try:
        parts = urlsplit(issuer)
        host = _canonical_host((parts.hostname or "").lower())
    except ValueError:
        parts, host = urlsplit(""), None
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1"))
    if not host or not safe or parts.username or parts.query or parts.fragment:
        raise EnvError("KEYADMIN_OIDC_ISSUER: must look like https://login.example.org, without a query.")
    try:
        name = clean_line("KEYADMIN_OIDC_NAME", given["KEYADMIN_OIDC_NAME"], longest=60, required=False)
    except InvalidError as error:
        raise EnvError(f"KEYADMIN_OIDC_NAME: {error.detail}") from None
    return Oidc(issuer.rstrip("/"), client_id, secret, name or "single sign-on")


def _master(environ: Mapping[str, str], data_dir: Path) -> master.Master:
    given, path = environ.get("KEYADMIN_MASTER_KEY", "").strip(), environ.get("KEYADMIN_MASTER_KEY_FILE", "").strip()
    if given and path:
        raise EnvError("KEYADMIN_MASTER_KEY and KEYADMIN_MASTER_KEY_FILE are both set; set one.")
    try:
        if given:
            return master.Master.from_base64(given)
        if path:
            return master.load(_key_file(path))
        return master.load_or_create(data_dir / "master.key")
    except (OSError, RuntimeError, master.MasterKeyError) as error:
        name = "KEYADMIN_MASTER_KEY" if given else "KEYADMIN_MASTER_KEY_FILE" if path else "Master key"
        raise EnvError(f"{name}: {error}") from None


def _key_file(text: str) -> Path:
    path = ROOT / Path(text).expanduser()
    try:
        master.Master.from_base64(text)
    except master.MasterKeyError:
        return path
    raise master.MasterKeyError("This is the key itself, not the path of its file: set KEYADMIN_MASTER_KEY instead.")


def _database(environ: Mapping[str, str], name: str) -> Database | None:
    url = environ.get(name, "").strip()
    try:
        return database_url.parse(url) if url else None
    except ValueError as error:
        raise EnvError(f"{name}: {error}") from None


def _redis(text: str) -> str:
    """The server that REDIS_URL names, checked. The address is never echoed: there may be a password in it."""
    text = text.strip()
    if not text:
        return ""
    example = "must look like redis://:password@cache.example.org:6379/0 (rediss:// with TLS, unix:///path.sock?db=0)"
    try:
        parts = urlsplit(text)
        host, port, query = _canonical_host((parts.hostname or "").lower()), parts.port, parse_qsl(parts.query)
    except ValueError:
        raise EnvError(f"REDIS_URL: this is not an address; it {example}.") from None
    by_path = parts.scheme == "unix"
    database = dict(query).get("db", "0") if by_path else parts.path.strip("/") or "0"
    placed = len(parts.path) > 1 and not parts.hostname if by_path else bool(host) and port != 0
    known = len(query) == (len({name for name, _ in query} & {"db"}) if by_path else 0)
    numbered = database.isascii() and database.isdigit() and len(database) < 5
    if parts.scheme not in REDIS_SCHEMES or not placed or not known or not numbered or parts.fragment:
        raise EnvError(f"REDIS_URL: {example}. Characters such as / in a password are written as %2F.")
    return text


def _first_administrator(environ: Mapping[str, str]) -> tuple[str, str, str]:
    email = environ.get("KEYADMIN_ADMIN_EMAIL", "").strip()
    password = environ.get("KEYADMIN_ADMIN_PASSWORD", "")
    organization = environ.get("KEYADMIN_ORG", "").strip()
    if bool(email) != bool(password):
        missing = "KEYADMIN_ADMIN_PASSWORD" if email else "KEYADMIN_ADMIN_EMAIL"
        raise EnvError(f"{missing}: missing; the first administrator needs an e-mail address and a password.")
    if email:
        try:
            validate_email(email)
        except ValidationError:  # not echoed: it may be the password, in the wrong variable
            raise EnvError("KEYADMIN_ADMIN_EMAIL: this is not an e-mail address.") from None
    try:
        clean_line("KEYADMIN_ADMIN_EMAIL", email, longest=EMAIL_LENGTH, required=False)
        clean_line("KEYADMIN_ORG", organization, longest=ORGANIZATION_LENGTH, required=False)
    except InvalidError as error:
        raise EnvError(f"{next(iter(error.errors))}: {error.detail}") from None
    return email, password, organization


def _shown(text: str) -> str:
    """A value as it may stand in a message: one short line, never a whole key."""
    safe = tokens.redact(text)
    return repr(safe if len(safe) <= LONGEST_SHOWN else f"{safe[:LONGEST_SHOWN]}...")


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
