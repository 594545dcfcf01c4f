"""Verify a key: look it up, decide, answer. Middleware, gateways and API all call this."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from keyadmin.freshness.queries import confirmed, in_transaction
from keyadmin.kernel import clock, given, tokens
from keyadmin.kernel.actor import NOBODY, Actor, ActorKind, Subject
from keyadmin.kernel.errors import DeniedError, ProblemError, RefusedError, UnavailableError
from keyadmin.kernel.rates import Count
from keyadmin.limits import services as limits
from keyadmin.verify import guesses, lookup, memory, site
from keyadmin.verify.decide import Ask, KeyFacts, decide
from keyadmin.verify.memory import Known
from keyadmin.verify.outcome import COUNTED, WRONG, Decision, Outcome

# Also as the second of two credentials, which a server joins with a comma.
_BEARER = re.compile(r"(?:^|,)\s*bearer(?:\s|$)", re.IGNORECASE)
PATIENCE: Final = 0.5  # seconds that a request waits until the current epoch is known


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a presented key. `facts` is there as soon as its id is known, also when it is refused.

    `known` is there while they are remembered, `count` if the key has a limit and the request counted against it.
    """

    decision: Decision
    facts: KeyFacts | None = None
    known: Known | None = None
    count: Count | None = None


def presented(key: str, authorization: str) -> str:
    """The key that a request presents, by its headers X-API-KEY and Authorization; empty if there is none.

    Raises ProblemError (`conflicting_credentials`), RefusedError for a key, or a token, as Bearer.
    """
    bearer = _BEARER.search(authorization) is not None
    if "," in key or (key and bearer):
        # A server joins a header that came twice with a comma, which no key contains (RFC 9110 §5.3).
        raise ProblemError(code="conflicting_credentials")
    if bearer:
        raise refusal_of(Decision(Outcome.MISPLACED))
    return key


def refusal_of(decision: Decision, subject: Subject = NOBODY, count: Count | None = None) -> ProblemError:
    """What a refused caller is told; and, for the access records alone, the exact reason and whose key it is."""
    error: ProblemError
    if decision.outcome is Outcome.MISSING_PERMISSION:
        error = DeniedError(decision.missing_permission, subject=subject)
    else:
        error = RefusedError(code=decision.public.code, reason=decision.outcome, subject=subject)
    if count is not None:
        error.headers.update(count.headers)
    return error


def verify(presented: str, ask: Ask, site_key: str = "") -> Verdict:
    """Whether the presented text is a key that may do what is asked, now. Raises UnavailableError: it can't be known.

    `site_key` is what came as one beside it; it is looked at only where the instance demands one.
    Counts against the limit of the key, and may wait for REDIS_URL. Inside a transaction nothing that was remembered
    counts, as it may have changed what others can't see yet.
    """
    if not presented:
        return Verdict(Decision(Outcome.MISSING))
    if in_transaction():
        return _counted(_judged(_looked_up(presented, None), ask, site_key, None))
    epoch = confirmed(PATIENCE)
    if epoch is None:
        raise UnavailableError
    sign = memory.mark(presented)
    known = memory.recall(sign, epoch)
    if known is None:
        found = _found(presented, ask.address, sign, epoch)
        if isinstance(found, Verdict):
            return found
        if isinstance(found, Outcome) or not found.secret_matches:
            verdict = _judged(found, ask, site_key, epoch)
            if verdict.decision.outcome in WRONG:
                guesses.failed(ask.address, sign, epoch, verdict.decision.outcome, verdict.facts)
            return verdict
        known = memory.remember(sign, epoch, found)
    decision = _with_site_key(partial(_decided, known), known.facts, ask, site_key, epoch)
    return _counted(Verdict(decision, known.facts, known))


def _with_site_key(
    decided: Callable[[Ask], Decision], facts: KeyFacts, ask: Ask, site_key: str, epoch: str | None
) -> Decision:
    """What is decided. The site key that came is compared only where nothing else is missing before it."""
    decision = decided(ask)
    if decision.outcome is not Outcome.SITE_KEY_REQUIRED:
        return decision
    is_right = site.comes_with(facts.site_keys or site.NONE, site_key, ask.address, epoch)
    return decided(ask._replace(has_site_key=True)) if is_right else decision


def _decided(known: Known, ask: Ask) -> Decision:
    question = (ask.organization_id, ask.permissions, ask.any_permission, ask.environment, ask.has_site_key)
    kept: Decision | None = known.answer(question, clock.timestamp())
    if kept is None:
        kept = decide(known.facts, ask, clock.now())
        known.keep(question, kept)
    return kept


def _found(presented: str, address: str, sign: bytes, epoch: str) -> KeyFacts | Outcome | Verdict:
    """The same as `_looked_up`, in line with the others of an address from which many wrong keys come.

    A verdict: the same key was found wrong before. Raises UnavailableError.
    """
    if not guesses.are_many(address):
        return _looked_up(presented, epoch)
    wrong = guesses.recall(sign, epoch)
    if wrong is not None:
        return Verdict(Decision(wrong.outcome), wrong.facts)
    with guesses.in_line():
        return _looked_up(presented, epoch)


def _looked_up(presented: str, epoch: str | None) -> KeyFacts | Outcome:
    """The facts from the database, or what is wrong with the text; the site keys, if it is known, as of the epoch."""
    token = tokens.parse(presented)
    if token is None and not given.could_be(presented):
        return Outcome.MALFORMED
    facts = lookup.find_given(presented) if token is None else lookup.find(token)
    if facts is None:
        return Outcome.UNKNOWN
    wanted = site.demanded(epoch) if facts.secret_matches else None
    return facts if wanted is None else facts._replace(site_keys=wanted)


def _judged(found: KeyFacts | Outcome, ask: Ask, site_key: str, epoch: str | None) -> Verdict:
    if isinstance(found, Outcome):
        return Verdict(Decision(found))
    decision = _with_site_key(lambda one: decide(found, one, clock.now()), found, ask, site_key, epoch)
    return Verdict(decision, found)


def _counted(verdict: Verdict) -> Verdict:
    """The same, if the limit of the key allows one more; the permission is asked after that."""
    facts = verdict.facts
    if facts is None or facts.rate is None or verdict.decision.outcome not in COUNTED:
        return verdict
    count = limits.take(facts.meter, facts.rate)
    decision = verdict.decision if count.allowed else Decision(Outcome.RATE_LIMITED)
    return replace(verdict, decision=decision, count=count)


def actor_of(facts: KeyFacts, ask: Ask, *, request_id: str = "", reason: str = "") -> Actor:
    """The actor that acts through an accepted key."""
    return Actor(
        ActorKind.KEY,
        id=facts.key_id,
        label=facts.label,
        user_id=facts.owner_id,
        held=facts.held,
        limit=facts.limit,
        key_state=facts.state,
        organization_id=ask.organization_id,
        segment=facts.segment,
        via=facts.masked,
        token_id=facts.token_id,
        address=ask.address,
        request_id=request_id,
        reason=reason,
    )
