"""`/verify` for gateways, answered before Django: from memory at once, else in a thread and within a second.

The body is not read, no method is special, nothing redirects. A gateway lets a request pass for exactly 200.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from django.db import DatabaseError, InterfaceError, connection

from keyadmin.freshness.queries import confirmed
from keyadmin.kernel import clock, patterns
from keyadmin.kernel.actor import NOBODY, Subject
from keyadmin.kernel.errors import DeniedError, ProblemError, RefusedError, UnavailableError
from keyadmin.kernel.rates import Count, Rate
from keyadmin.limits import services as limits
from keyadmin.sitekey.queries import Accepted
from keyadmin.usage import services as usage
from keyadmin.verify import guesses, lookup, memory, services, site, tally
from keyadmin.verify.decide import Ask, KeyFacts
from keyadmin.verify.outcome import Decision, Outcome
from keyadmin.verify.pool import Pool
from keyadmin.verify.question import CLIENT_DEMANDS, DISAGREEING, Question, ask_of, client_demands, up_to_end
from keyadmin.web import edge, errors

Headers = list[tuple[bytes, bytes]]
NO_STORE: Final = (b"cache-control", b"no-store")
FACTS: Final = ("key-id", "owner", "organization", "kind", "environment", "permissions", "segment")
NOTHING_KNOWN: Final = [NO_STORE, *((f"x-auth-{name}".encode(), b"") for name in FACTS)]
Send = Callable[[dict[str, Any]], Awaitable[None]]

THREADS: Final = 8
MOST_WAITING: Final = 256
MOST_IN_LINE: Final = 64
SECONDS: Final = 0.8
REPORTED: Final = frozenset(
    {b"x-forwarded-uri", b"x-original-uri", b"x-forwarded-method", b"x-original-method"},
)
READ: Final = frozenset(
    {
        *(b"x-api-key", b"x-site-key", b"authorization", b"x-organization"),
        *(b"user-agent", b"x-request-id", b"x-forwarded-for"),
        *REPORTED,
    }
)
# Where many wrong keys come from, keys that are not remembered have few threads of their own: `guesses` says why.
_pools: Final = (
    Pool("verify", threads=THREADS, most=MOST_WAITING),
    Pool("verify-line", threads=guesses.AT_ONCE, most=MOST_IN_LINE),
)
_sleepers = ThreadPoolExecutor(64, "verify-even")
_records: list[usage.Record] = []  # of answers that have not gone out yet


class Asked(NamedTuple):
    """A request as it came in. `path` and `method` are what the gateway was asked for, where it says so."""

    key: str
    authorization: str
    question: Question
    address: str
    method: str
    path: str
    user_agent: str
    request_id: str
    site_key: str = ""


class Reply(NamedTuple):
    """What is sent back, and what is kept of it: whose key it was, and why it was refused.

    `lines` are the headers as they go over the wire, but for those that differ from request to request.
    """

    status: int
    lines: bytes
    body: bytes = b""
    subject: Subject = NOBODY
    outcome: str = "allowed"
    reason: str = ""
    missing_permission: str = ""


class Kept(NamedTuple):
    """An answer that is the same from wherever it is asked; with the limit of the key, counted under its `meter`.

    `site_keys`: it is for requests that carry one of these; None: none is demanded.
    """

    reply: Reply
    rate: Rate | None
    meter: str
    site_keys: tuple[Accepted, ...] | None = None


async def serve(scope: dict[str, Any], send: Send) -> None:
    """One request and its answer, to a server that writes by `turn`."""
    began = time.monotonic()
    client = scope["client"]
    asked = asked_by(
        scope["method"], scope["path"], scope["query_string"], scope["headers"], client[0] if client else ""
    )
    reply = at_once(asked)
    if reply is None:
        reply = await _in_thread(asked)
        tally.looked_up[reply.outcome] += 1
        _records.append(_record(asked, reply))
    asyncio.get_running_loop().call_soon(keep_records)  # at the latest: `turn` does before anything goes out
    if reply.outcome == edge.UNPROVED:
        await edge.wait_evenly_in(_sleepers, began)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers_of(reply, asked)})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})


def at_once(asked: Asked) -> Reply | None:
    """The answer, if it is known and nothing has to be waited for. It must not go out before `keep_records`."""
    reply = from_memory(asked)
    if reply is not None:
        tally.from_memory[reply.outcome] += 1
        _records.append(_record(asked, reply))
    return reply


def keep_records() -> None:
    """Write down what has become of requests since the last time, in one go."""
    if _records:
        usage.record(*_records)
        _records.clear()


def _record(asked: Asked, reply: Reply) -> usage.Record:
    return usage.access(
        outcome=reply.outcome,
        reason=reply.reason,
        missing_permission=reply.missing_permission,
        subject=reply.subject,
        method=asked.method,
        path=asked.path.partition("?")[0],
        address=asked.address,
        user_agent=asked.user_agent,
        request_id=asked.request_id,
    )


def headers_of(reply: Reply, asked: Asked) -> Headers:
    """All headers of an answer."""
    pairs = (line.partition(b": ") for line in lines_of(reply, asked).split(b"\r\n")[:-1])
    return [(name, value) for name, _, value in pairs]


def lines_of(reply: Reply, asked: Asked) -> bytes:
    """The same as they go over the wire."""
    request_id = asked.request_id.encode()
    return b"%bcontent-length: %d\r\nx-auth-request-id: %b\r\nx-request-id: %b\r\n" % (
        *(reply.lines, len(reply.body), request_id, request_id),
    )


def written(headers: Headers) -> bytes:
    """Headers as lines."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def asked_by(method: str, path: str, query: bytes, headers: Headers, remote: str) -> Asked:
    """What a request asks: its path without the query, its headers by lower-case names, the other end's address."""
    found: dict[bytes, bytes] = {}
    disagreeing = False
    for name, value in headers:
        if name in READ:
            if name in found:
                disagreeing |= name in REPORTED and found[name] != value
                value = found[name] + b"," + value
            found[name] = value
    text = {name: value.decode("latin-1") for name, value in found.items()}
    peer = edge.peer(remote, text.get(b"x-forwarded-for", ""))
    doubt = ""
    if not REPORTED.isdisjoint(found):
        uris, methods = _said(text, "uri"), _said(text, "method")
        if any("?" in uri and client_demands(uri.partition("?")[2]) for uri in uris):
            doubt = CLIENT_DEMANDS
        if peer.is_trusted:
            path, method = (*uris, path)[0], (*methods, method)[0]
            if disagreeing or len(set(uris)) > 1 or len(set(methods)) > 1:
                doubt = DISAGREEING
    return Asked(
        text.get(b"x-api-key", "").strip(),
        text.get(b"authorization", ""),
        Question(up_to_end(query.decode("latin-1")), text.get(b"x-organization", ""), doubt),
        peer.address,
        method,
        path,
        text.get(b"user-agent", ""),
        edge.request_id(text.get(b"x-request-id", "") if peer.is_trusted else ""),
        text.get(b"x-site-key", "").strip(),
    )


def _said(text: dict[bytes, str], what: str) -> list[str]:
    """What the two forms of headers say of the client's own request."""
    return [said for form in ("forwarded", "original") if (said := text.get(f"x-{form}-{what}".encode()))]


def from_memory(asked: Asked) -> Reply | None:
    """The answer, if it is known and nothing has to be waited for."""
    kept = _kept(asked)
    if kept is None:
        return None
    if kept.rate is None:
        return kept.reply
    count = limits.take_at_once(kept.meter, kept.rate)
    return None if count is None else _counted(asked, kept.reply, count)


def _kept(asked: Asked) -> Kept | None:
    if asked.authorization or not asked.key:
        return None
    epoch = confirmed()
    known = memory.recall(memory.mark(asked.key), epoch) if epoch is not None else None
    kept: Kept | None = known.answer(asked.question, clock.timestamp()) if known is not None else None
    if kept is not None and kept.site_keys is not None and not _has_site_key(asked, kept.site_keys):
        return None
    return kept


def _has_site_key(asked: Asked, wanted: tuple[Accepted, ...]) -> bool:
    """Whether the site key of the request is remembered as right, and counts at this moment."""
    return site.is_proved(wanted, asked.site_key, clock.timestamp())


def _counted(asked: Asked, reply: Reply, count: Count) -> Reply:
    """What allows a key with a limit, once the request has been counted."""
    if not count.allowed:
        return refused(asked, services.refusal_of(Decision(Outcome.RATE_LIMITED), reply.subject, count))
    return reply._replace(lines=reply.lines + written(count.raw_headers))


async def _in_thread(asked: Asked) -> Reply:
    pool = _pools[guesses.are_many(asked.address) and not _is_known(asked)]
    if pool.is_full:
        return refused(asked, UnavailableError("Too many requests wait for the database."))
    return await pool.do(looked_up, asked, SECONDS) or refused(asked, UnavailableError())


def _is_known(asked: Asked) -> bool:
    """Whether the key, whatever is asked about it, is remembered as right, and the site key too, if one is demanded."""
    epoch = confirmed()
    known = memory.recall(memory.mark(asked.key), epoch) if epoch is not None else None
    wanted = None if known is None else known.facts.site_keys
    return known is not None and (wanted is None or _has_site_key(asked, wanted))


def looked_up(asked: Asked) -> Reply:
    """The answer, from the database where memory does not have it."""
    try:
        kept = _kept(asked)
        if kept is None or kept.rate is None:
            return _judged(asked)
        return _counted(asked, kept.reply, limits.take(kept.meter, kept.rate))
    except ProblemError as error:
        return refused(asked, error)
    except (DatabaseError, InterfaceError):
        connection.close()
        return refused(asked, UnavailableError())
    finally:
        if connection.vendor == "postgresql":
            connection.close()  # back to the pool


def _judged(asked: Asked) -> Reply:
    key = services.presented(asked.key, asked.authorization)
    ask = ask_of(asked.question, asked.address)
    verdict = services.verify(key, ask, asked.site_key)
    facts = verdict.facts
    subject = services.actor_of(facts, ask).subject if facts is not None else NOBODY
    if facts is None or not verdict.decision.allowed:
        return refused(asked, services.refusal_of(verdict.decision, subject, verdict.count))
    reply = Reply(200, written(about(facts, ask)), subject=subject)
    if verdict.known is not None and asked.question.is_short:
        verdict.known.keep(asked.question, Kept(reply, facts.rate, facts.meter, facts.site_keys))
    return reply if verdict.count is None else _counted(asked, reply, verdict.count)


def refused(asked: Asked, error: ProblemError) -> Reply:
    """What a refusal looks like."""
    kind = error.kind
    headers = [(b"content-type", errors.PROBLEM_TYPE.encode()), *NOTHING_KNOWN]
    if kind.status == 401:
        headers.append((b"www-authenticate", errors.challenge(asked.authorization).encode("latin-1")))
    more = dict(error.headers)
    if kind.status in errors.RETRY_AFTER_SECONDS:
        more.setdefault("Retry-After", errors.RETRY_AFTER_SECONDS[kind.status])
    headers += [(name.lower().encode(), value.encode()) for name, value in more.items()]
    return Reply(
        kind.status,
        written(headers),
        json.dumps(errors.body_of(error, asked.request_id)).encode(),
        subject=error.subject if isinstance(error, RefusedError | DeniedError) else NOBODY,
        outcome=kind.code,
        reason=error.reason if isinstance(error, RefusedError) else "",
        missing_permission=error.permission if isinstance(error, DeniedError) else "",
    )


def about(facts: KeyFacts, ask: Ask) -> Headers:
    """The complete set of headers about an accepted key, so that no copy of the client's own survives a gateway."""
    meant = ask.organization_id
    if meant is None and len(facts.held.rights) == 1:
        (meant,) = facts.held.rights
    standing = lookup.standing_of(meant) if meant is not None else None
    rights = facts.held.rights_in(meant).patterns if meant is not None else frozenset()
    values = (
        str(facts.key_id),
        facts.owner_uid,
        standing.oid if standing is not None else "",
        facts.kind,
        facts.environment,
        ",".join(sorted(patterns.reduced(rights))),
        str(facts.key_id) if facts.segment else "",
    )
    named = zip(FACTS, values, strict=True)
    return [NO_STORE, *((f"x-auth-{name}".encode(), value.encode()) for name, value in named)]
