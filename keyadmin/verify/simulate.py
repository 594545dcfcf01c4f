"""Would this key be allowed to ...? The verifier's own checks, each with its result and words, without a secret."""

from dataclasses import dataclass

from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from keyadmin.sitekey.queries import demanded
from keyadmin.verify import lookup
from keyadmin.verify.decide import Ask, KeyFacts, checked, decide
from keyadmin.verify.outcome import Decision

# For each check what is said when it passes, and when it does not. What a simulation can't try is taken for granted.
WORDS = {
    "replaced": ("Taken for granted: the present secret is used, not a former one.", "The secret has been replaced."),
    "revoked": ("It is not revoked.", "It is revoked for good."),
    "secret": ("Taken for granted: the secret is right.", "The secret is wrong."),
    "organization": ("It works in this organisation.", "It does not work in this organisation."),
    "expired": ("It has not expired.", "It has expired."),
    "paused": ("It is not paused.", "It is paused."),
    "owner": ("Its owner is not disabled.", "Its owner is disabled."),
    "suspended": ("The organisation is not suspended.", "The organisation is suspended."),
    "site_key": (
        "Taken for granted: a right site key comes with it.",
        "A site key is demanded, and there is none yet.",
    ),
    "environment": ("Its environment is right.", "It is of the other environment."),
    "blocked": ("The organisation has not blocked it.", "The organisation has blocked it."),
    "address": ("It works from this address.", "It does not work from this address."),
    "permission": ("It holds what is needed.", "It does not hold what is needed."),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: its name, whether it passed, and a sentence about that."""

    name: str
    passed: bool
    words: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would be decided, and all checks in their order: the first that failed decides. A limit is only told."""

    decision: Decision
    checks: tuple[Checked, ...]


def simulate(key: APIKey, ask: Ask) -> Simulation:
    """What would become of a request that presents the right secret, and the right site key, and asks this, now."""
    facts = lookup.facts_of(key)._replace(secret_matches=True, site_keys=demanded())
    ask = ask._replace(has_site_key=True)
    now = clock.now()
    checks = [
        Checked(name, refusal is None, _said(name, refusal, facts, ask)) for name, refusal in checked(facts, ask, now)
    ]
    if facts.rate is not None:  # what is left of it depends on the requests before
        checks.append(Checked("rate_limit", True, f"Its limit of {facts.rate} is not counted here."))
    return Simulation(decide(facts, ask, now), tuple(checks))


def ask_for(organization_id: int, permission: str, address: str = "", environment: str = "") -> Ask:
    """The question whether a key may do one thing in an organisation; without a permission whether it is let in."""
    permissions = (permission,) if permission else ()
    return Ask(address, organization_id, permissions, environment=environment)


def _said(name: str, refusal: Decision | None, facts: KeyFacts, ask: Ask) -> str:
    passes, fails = WORDS[name]
    if refusal is not None:
        if refusal.missing_permission:
            several = ask.any_permission and len(ask.permissions) > 1
            return (
                f"It holds none of {', '.join(ask.permissions)}."
                if several
                else f"It lacks {refusal.missing_permission}."
            )
        return (
            "It works from some networks only, and no address is given."
            if name == "address" and not ask.address
            else fails
        )
    if name == "owner" and facts.owner_id is None:
        return "It belongs to the organisation, not to a user."
    if name == "site_key" and facts.site_keys is None:
        return "No site key is demanded."
    if name == "environment" and not ask.environment:
        return "Either environment will do."
    if name == "address" and not facts.allowed_networks:
        return "It works from every address."
    if name == "permission" and not ask.permissions:
        return "No permission is asked for."
    return passes
