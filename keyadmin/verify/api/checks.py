"""REST: what a key may do that an application was given, and what one might do, check by check."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import BeforeValidator, Field, WithJsonSchema

from accounts import queries as accounts
from accounts.representation import organization_ref, user_ref
from keyadmin.kernel import addresses, clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.patterns import reduced
from keyadmin.keys import queries
from keyadmin.verify import remote
from keyadmin.verify.decide import Ask
from keyadmin.verify.outcome import Decision
from keyadmin.verify.services import Verdict, refusal_of
from keyadmin.verify.services import actor_of as actor_through
from keyadmin.verify.simulate import simulate
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.rest import MAKE, In, Moment, OrganizationRef, PermissionName, RowId, Shape, UserRef

verifying = Router(auth=Credential(remote.PERMISSION), tags=["Verification"])
simulating = Router(auth=Credential(), tags=["Verification"])
ALLOWED = "The key may do this."


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    parsed = addresses.parse_address(value)
    if parsed is None:
        raise ValueError("This is not an IP address.")
    return parsed


Address = Annotated[
    str,
    BeforeValidator(_address),
    WithJsonSchema({"type": "string", "maxLength": 100, "description": "IPv4 or IPv6", "examples": ["203.0.113.7"]}),
]


class Question(In):
    """`organization` (oid or slug): absent, the only one that the credential reaches."""

    permissions: Annotated[list[PermissionName], Field(max_length=100, description="all of them are needed")] = []
    any: Annotated[bool, Field(description="one of the permissions is enough")] = False
    address: Annotated[Address | None, Field(description="where the client's request came from")] = None
    organization: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    environment: Literal["live", "test"] | None = None

    def ask(self, organization_id: int) -> Ask:
        """The same for the checks."""
        return Ask(
            self.address or "",
            organization_id=organization_id,
            permissions=tuple(dict.fromkeys(self.permissions)),
            any_permission=self.any,
            environment=self.environment or "",
        )


class VerifyIn(Question):
    key: Annotated[str, Field(max_length=512, description="what a client presented, complete")]
    site_key: Annotated[
        str | None,
        Field(max_length=512, description="what the client presented in X-SITE-KEY; needed where one is demanded"),
    ] = None


class SimulateIn(Question):
    api_key_id: RowId


class Decided(Shape):
    """`code` is `allowed`, or the code of the refusal that the client would get."""

    valid: bool
    code: str
    detail: str
    missing_permission: str | None


class Verified(Decided):
    """Beside the decision everything is null until the key has proved to be one that works in the organisation."""

    key_id: RowId | None
    masked_key: str | None
    name: str | None
    kind: Literal["organization", "user"] | None
    environment: Literal["live", "test"] | None
    owner: UserRef | None
    organization: OrganizationRef | None
    permissions: list[str] | None
    segment: bool | None
    expiry_date: Moment | None


class Check(Shape):
    name: str
    passed: bool
    words: str


class Simulated(Decided):
    """`checks` in their order: the first that did not pass decides.

    A key with a limit has `rate_limit` as the last one, which is told and not counted.
    """

    checks: list[Check]


@verifying.post("", response={200: Verified, **MAKE}, operation_id="verify")
def verify(request: HttpRequest, body: VerifyIn) -> dict[str, Any]:
    """Whether a key that a client presented may do something; needs `key.verify`.

    It counts as a use of that key. 200 whatever the decision; keys that do not work in the organisation are
    `invalid_key`. The answer never holds the key, and is never repeated: with an Idempotency-Key it is asked anew.
    """
    actor = actor_of(request)
    ask = body.ask(remote.organization_meant(actor, body.organization))
    user_agent = request.headers.get("User-Agent", "")
    verdict = remote.verify_for(
        actor=actor, presented=body.key, ask=ask, user_agent=user_agent, site_key=body.site_key or ""
    )
    return {**_decided(verdict.decision), **_key_of(verdict, actor, ask)}


@simulating.post("", response={200: Simulated, **MAKE}, operation_id="simulate")
def simulate_key(request: HttpRequest, body: SimulateIn) -> dict[str, Any]:
    """The same question about a key that the credential may see, by id and without its secret, check by check."""
    actor = actor_of(request)
    key = queries.visible_key(actor, body.api_key_id)
    found = simulate(key, body.ask(accounts.id_meant_by(actor, body.organization, own=key.organization_id)))
    checks = [{"name": one.name, "passed": one.passed, "words": one.words} for one in found.checks]
    return {**_decided(found.decision), "checks": checks}


def _decided(decision: Decision) -> dict[str, Any]:
    return {
        "valid": decision.allowed,
        "code": "allowed" if decision.allowed else decision.public.code,
        "detail": ALLOWED if decision.allowed else refusal_of(decision).detail,
        "missing_permission": decision.missing_permission or None,
    }


def _key_of(verdict: Verdict, actor: Actor, ask: Ask) -> dict[str, Any]:
    facts, meant = verdict.facts, ask.organization_id
    if facts is None or meant is None:
        return dict.fromkeys(Verified.model_fields.keys() - Decided.model_fields.keys())
    user = accounts.acting_user(actor_through(facts, ask))
    organization = accounts.visible_organizations(actor.meaning(meant)).first()
    return {
        "key_id": facts.key_id,
        "masked_key": facts.masked,
        "name": facts.label,
        "kind": facts.kind,
        "environment": facts.environment,
        "owner": user_ref(user) if user else None,
        "organization": organization_ref(organization) if organization else None,
        "permissions": sorted(reduced(facts.held.rights_in(meant).patterns)),
        "segment": facts.segment,
        "expiry_date": clock.rfc3339(facts.expires_at) if facts.expires_at else None,
    }
