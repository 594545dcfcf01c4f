"""REST for policies: named lists of permission patterns, with all that they have been."""

from typing import Annotated, Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field

from accounts import queries
from accounts.api.common import Description, Name, NamedRef, SearchQuery
from accounts.representation import policy_detail, policy_fields, policy_version_fields
from accounts.services import policies as services
from accounts.services.catalogue import LONGEST_LIST
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.rest import (
    CHANGE,
    MAKE,
    READ,
    Changes,
    In,
    Moment,
    OrganizationRef,
    Page,
    PageQuery,
    RowId,
    Shape,
    expected_version,
    idempotent,
    page_of,
    versioned,
)

router = Router(auth=Credential(), tags=["Policies"])
MANAGING = Credential("policy.ctrl")
ONE = "/{policy_id}"

Patterns = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=LONGEST_LIST)]


class PolicyOut(Shape):
    id: int
    name: str
    description: str
    patterns: list[str]
    organization: OrganizationRef
    created: Moment
    version: int


class PolicyDetail(PolicyOut):
    """`groups` have this policy; null: the credential may not look at groups."""

    groups: list[NamedRef] | None


class PolicyList(Page):
    items: list[PolicyOut]


class PolicyVersionOut(Shape):
    version: int
    name: str
    description: str
    patterns: list[str]
    saved: Moment
    saved_by: str
    reason: str


class PolicyVersionList(Page):
    items: list[PolicyVersionOut]


class PolicyIn(In):
    """A pattern is a permission's name, a prefix such as `apikey.*`, or `*`."""

    name: Name
    description: Description = ""
    patterns: Patterns


class PolicyPatch(Changes):
    name: Name = ""
    description: Description = ""
    patterns: Patterns = []


class RestoreIn(In):
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


@router.get("", response={200: PolicyList, **READ}, operation_id="policies_list", exclude_unset=True)
def list_policies(request: HttpRequest, query: Query[SearchQuery]) -> dict[str, Any]:
    """Policies, by name."""
    found = queries.visible_policies(actor_of(request)).filter(queries.matching(query.search, "name", "description"))
    return page_of(request, found, query, policy_fields)


@router.post("", auth=MANAGING, response={201: PolicyDetail, **MAKE}, operation_id="policies_create")
def create_policy(request: HttpRequest, response: HttpResponse, body: PolicyIn) -> Status[Any]:
    """Make a policy. All that it gives must be held."""
    actor, organization = queries.organization_meant(actor_of(request))

    def act() -> dict[str, Any]:
        return policy_detail(actor, services.create_policy(actor=actor, organization=organization, **body.dict()))

    return versioned(response, idempotent(request, actor, 201, act))


@router.get(ONE, response={200: PolicyDetail, **READ}, operation_id="policies_get")
def get_policy(request: HttpRequest, response: HttpResponse, policy_id: RowId) -> dict[str, Any]:
    """One policy, with the groups that have it."""
    actor = actor_of(request)
    return versioned(response, policy_detail(actor, queries.visible_policy(actor, policy_id)))


@router.patch(ONE, auth=MANAGING, response={200: PolicyDetail, **CHANGE}, operation_id="policies_edit")
def edit_policy(request: HttpRequest, response: HttpResponse, policy_id: RowId, body: PolicyPatch) -> dict[str, Any]:
    """Change name, description or patterns; absent fields stay. All groups that have it follow at once."""
    actor = queries.meaning_one(actor_of(request))
    row = services.edit_policy(
        actor=actor,
        policy=queries.visible_policy(actor, policy_id),
        changes=cast(services.PolicyChanges, body.dict(exclude_unset=True)),
        expected_version=expected_version(request),
    )
    return versioned(response, policy_detail(actor, row))


@router.delete(ONE, auth=MANAGING, response={204: None, **MAKE}, operation_id="policies_delete")
def delete_policy(request: HttpRequest, policy_id: RowId) -> Status[None]:
    """Remove a policy that no group has."""
    actor = queries.meaning_one(actor_of(request))
    services.delete_policy(actor=actor, policy=queries.visible_policy(actor, policy_id))
    return Status(204, None)


@router.get(
    f"{ONE}/versions", response={200: PolicyVersionList, **READ}, operation_id="policies_versions", exclude_unset=True
)
def list_policy_versions(request: HttpRequest, policy_id: RowId, query: Query[PageQuery]) -> dict[str, Any]:
    """All that the policy has been, the newest first; the first one is the present one."""
    return page_of(request, queries.policy_versions(actor_of(request), policy_id), query, policy_version_fields)


@router.post(f"{ONE}/restore", auth=MANAGING, response={200: PolicyDetail, **MAKE}, operation_id="policies_restore")
def restore_policy(request: HttpRequest, response: HttpResponse, policy_id: RowId, body: RestoreIn) -> Status[Any]:
    """Give the policy the patterns of a former version, as a new version. What it gives more must be held."""
    actor = queries.meaning_one(actor_of(request))
    policy = queries.visible_policy(actor, policy_id)

    def act() -> dict[str, Any]:
        return policy_detail(actor, services.restore_policy(actor=actor, policy=policy, number=body.version))

    return versioned(response, idempotent(request, actor, 200, act))
