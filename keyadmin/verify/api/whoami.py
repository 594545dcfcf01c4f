"""REST: who the credential is and what it may do."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router

from accounts import queries as accounts
from accounts.models import Organization
from accounts.representation import organization_ref, user_ref
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.patterns import EVERYTHING, Rights, reduced
from keyadmin.keys import queries
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.rest import READ, Moment, OrganizationRef, RowId, Shape, UserRef

router = Router(auth=Credential(), tags=["Credential"])
SHOWN_ORGANIZATIONS = 200


class Reached(OrganizationRef):
    permissions: list[str]


class WhoAmI(Shape):
    """`permissions` holds in `organization`; where that is null, in every one of `organizations`.

    `expiry_date` null: never.
    """

    kind: Literal["organization_key", "user_key", "person"]
    name: str
    api_key_id: RowId | None
    masked_key: str | None
    environment: Literal["live", "test"] | None
    user: UserRef | None
    organization: OrganizationRef | None
    organizations: list[Reached]
    permissions: list[str]
    instance_permissions: list[str]
    expiry_date: Moment | None


@router.get("", response={200: WhoAmI, **READ}, operation_id="whoami")
def whoami(request: HttpRequest) -> dict[str, Any]:
    """Identity, organisation, effective permissions and expiry of the credential."""
    actor = actor_of(request)
    key = queries.acting_key(actor)
    user = accounts.acting_user(actor)
    reached = list(accounts.listed_organizations(actor)[:SHOWN_ORGANIZATIONS])
    single = reached[0] if len(reached) == 1 else None
    return {
        "kind": "person" if key is None else f"{key.kind}_key",
        "name": actor.label,
        "api_key_id": key.pk if key else None,
        "masked_key": key.masked if key else None,
        "environment": key.environment if key else None,
        "user": user_ref(user) if user else None,
        "organization": organization_ref(single) if single else None,
        "organizations": [_reached(actor, organization) for organization in reached],
        "permissions": _common(actor, reached),
        "instance_permissions": sorted(actor.held.instance.patterns),
        "expiry_date": clock.rfc3339(key.expires_at) if key and key.expires_at else None,
    }


def _reached(actor: Actor, organization: Organization) -> dict[str, Any]:
    patterns = sorted(reduced(actor.rights_in(organization.pk).patterns))
    return {**organization_ref(organization), "permissions": patterns}


def _common(actor: Actor, reached: list[Organization]) -> list[str]:
    """What is held in every organisation reached."""
    if not reached:
        return []
    common: Rights = EVERYTHING
    for organization in reached:
        common = common.narrowed(actor.rights_in(organization.pk).patterns)
    return sorted(common.patterns)
