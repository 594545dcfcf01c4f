"""System checks: deployment mistakes, each with an id and a hint."""

import ipaddress
import shlex
import stat
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connection

from keyadmin.env import KNOWN, Env
from keyadmin.kernel.calibration import WEAK_ROUNDS
from keyadmin.sitekey import queries
from keyadmin.sitekey.models import SiteKey

PREFIX = "KEYADMIN_"


@register(Tags.security)
def check_environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """All checks of one environment."""
    return problems_of(settings.ENV)


@register(Tags.database)
def check_site_key(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Whether what the variable demands exists; `manage.py check --database default` asks, and each start."""
    asked = databases is not None and "default" in databases
    is_there = asked and SiteKey._meta.db_table in connection.introspection.table_names()
    return missing_site_key() if is_there else []  # `migrate` asks before it has made the table


def missing_site_key() -> list[CheckMessage]:
    """A warning where every request by key is refused, as a site key is demanded and there is none."""
    if not queries.is_missing():
        return []
    return [
        Warning(
            "KEYADMIN_REQUIRE_SITE_KEY is on and there is no site key: no API key is accepted.",
            hint="Make one: .venv/bin/python manage.py site_key --make (or --assign), or on the page Site key.",
            id="keyadmin.W013",
        )
    ]


def problems_of(env: Env) -> list[CheckMessage]:
    """What is likely a mistake in an environment that is valid."""
    found: list[CheckMessage] = []
    for name in env.unknown:
        near = get_close_matches(name.removeprefix(PREFIX), [known.removeprefix(PREFIX) for known in KNOWN], n=1)
        hint = f"Did you mean {PREFIX}{near[0]}?" if near else "See the list of variables in the README."
        found.append(Warning(f"{name} is no variable of keyadmin; it has no effect.", hint=hint, id="keyadmin.W001"))
    if not _is_local(env.host) and not env.public_url:
        found.append(
            Warning(
                f"KEYADMIN_HOST is {env.host}, reachable by others, but KEYADMIN_PUBLIC_URL is not set.",
                hint="Set KEYADMIN_PUBLIC_URL to the address that people use, with https; other hosts get 400.",
                id="keyadmin.W002",
            )
        )
    if env.public_url.startswith("http://") and not _is_local(urlsplit(env.public_url).hostname or ""):
        found.append(
            Warning(
                "KEYADMIN_PUBLIC_URL is plain http: keys and passwords can be read on the way.",
                hint="Put a proxy with TLS in front and set KEYADMIN_PUBLIC_URL to its https address.",
                id="keyadmin.W003",
            )
        )
    if env.hash_scheme == "pbkdf2_sha256" and env.rounds < WEAK_ROUNDS:
        found.append(
            Warning(
                f"The number of rounds is {env.rounds} ({env.rounds_source}), which is weak.",
                hint=f"Use {WEAK_ROUNDS} or more, or hmac_sha256, which needs no rounds for generated keys.",
                id="keyadmin.W004",
            )
        )
    if env.debug and not _is_local(env.host):
        found.append(
            Warning(
                "KEYADMIN_DEBUG is on for an address that others reach.",
                hint="Debug pages show settings and code. Unset KEYADMIN_DEBUG.",
                id="keyadmin.W005",
            )
        )
    if env.mail is not None and env.mail.scheme == "smtp" and not _is_local(env.mail.host):
        found.append(
            Warning(
                "EMAIL_URL sends mail without TLS: links that reset passwords can be read on the way.",
                hint="Use smtp+tls:// (STARTTLS) or smtps://.",
                id="keyadmin.W010",
            )
        )
    for name in env.unused:
        found.append(
            Warning(
                f"{name} is set but has no effect.",
                hint="Set KEYADMIN_ADMIN_EMAIL and KEYADMIN_ADMIN_PASSWORD too, or unset it.",
                id="keyadmin.W008",
            )
        )
    if env.workers > 1 and not env.redis_url:
        found.append(
            Warning(
                f"KEYADMIN_WORKERS is {env.workers} and REDIS_URL is not set: each process counts by itself.",
                hint=f"A key may be used {env.workers} times as often as it should. Set REDIS_URL (Redis or Valkey).",
                id="keyadmin.W011",
            )
        )
    redis = urlsplit(env.redis_url)
    if redis.scheme == "redis" and redis.password and not _is_local(redis.hostname or ""):
        found.append(
            Warning(
                "REDIS_URL goes to another machine without TLS: its password can be read on the way.",
                hint="Use rediss://, or a network that nobody else is in.",
                id="keyadmin.W012",
            )
        )
    if env.data_dir.stat().st_mode & stat.S_IRWXO:
        found.append(
            Warning(
                "The data directory is open to every account of this machine.",
                hint=f"Type: chmod 700 {shlex.quote(str(env.data_dir))}",
                id="keyadmin.W009",
            )
        )
    if any(ipaddress.ip_network(network).prefixlen == 0 for network in env.trusted_proxies):
        found.append(
            Warning(
                "KEYADMIN_TRUSTED_PROXIES contains every address: anybody can forge theirs.",
                hint="List only the addresses of your own proxies.",
                id="keyadmin.W006",
            )
        )
    return found


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
