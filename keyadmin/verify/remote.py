"""Verify a key for an application that was given it and asks over REST."""

from typing import Final

from accounts import access
from accounts import queries as accounts
from keyadmin.kernel.actor import Actor, Subject
from keyadmin.usage import services as usage
from keyadmin.verify import services
from keyadmin.verify.decide import Ask
from keyadmin.verify.services import Verdict

PERMISSION: Final = "key.verify"
PATH: Final = "/api/v1/verify"
UNPROVED: Final = ("missing_key", "invalid_key")


def organization_meant(actor: Actor, reference: str | None) -> int:
    """The organisation for which the actor asks: the one named, else its only one; -1: not there for the actor.

    Raises InvalidError where it could be any of several, DeniedError where the actor may not verify keys.
    """
    meant = accounts.id_meant_by(actor, reference)
    if not actor.reaches(meant):
        return accounts.NO_SUCH_ORGANIZATION
    access.require(actor, PERMISSION, meant)
    return meant


def verify_for(*, actor: Actor, presented: str, ask: Ask, user_agent: str, site_key: str = "") -> Verdict:
    """What comes of a key, recorded as a use of that key from the address that was told. `ask` names an organisation.

    What does not work in that organisation is recorded as a request about the organisation, with no key.
    `site_key` is what the client presented beside it.

    Without proof that the key is right and works there, the verdict holds no facts. Raises UnavailableError.
    """
    verdict = services.verify(presented, ask, site_key)
    decision, facts = verdict.decision, verdict.facts
    allowed, missing = decision.allowed, decision.missing_permission
    code = "allowed" if allowed else decision.public.code
    # Else who knows no more than the id of a key could write into the log of its organisation, from any address.
    works_here = code not in UNPROVED or (facts is not None and facts.held.reaches(ask.organization_id or 0))
    subject = (
        services.actor_of(facts, ask).subject if facts is not None and works_here else Subject(ask.organization_id)
    )
    usage.record(
        usage.access(
            outcome=code,
            reason="" if allowed or missing else decision.outcome,
            missing_permission=missing,
            subject=subject,
            method="POST",
            path=PATH,
            address=ask.address,
            user_agent=user_agent,
            request_id=actor.request_id,
        )
    )
    return Verdict(decision) if code in UNPROVED else verdict
