"""Verify a key: look it up, decide, answer. Middleware, gateways and API all call this."""

from dataclasses import dataclass

from keyadmin.kernel import clock, given, tokens
from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.verify import lookup
from keyadmin.verify.decide import Ask, KeyFacts, decide
from keyadmin.verify.outcome import Decision, Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a presented key. `facts` is there as soon as its id is known, also when it is refused."""

    decision: Decision
    facts: KeyFacts | None = None


def verify(presented: str, ask: Ask) -> Verdict:
    """Whether the presented text is a key that may do what is asked, now."""
    if not presented:
        return Verdict(Decision(Outcome.MISSING))
    token = tokens.parse(presented)
    if token is None and not given.could_be(presented):
        return Verdict(Decision(Outcome.MALFORMED))
    facts = lookup.find_given(presented) if token is None else lookup.find(token)
    if facts is None:
        return Verdict(Decision(Outcome.UNKNOWN))
    return Verdict(decide(facts, ask, clock.now()), facts)


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
        address=ask.address,
        request_id=request_id,
        reason=reason,
    )
