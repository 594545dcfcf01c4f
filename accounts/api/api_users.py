"""REST for API users: named services that own keys and never sign in."""

from typing import Annotated, Any, Literal, cast

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field

from accounts import queries
from accounts.api.common import Description, Email, Ids, LongName, NamedRef, SearchQuery
from accounts.api.groups import GroupDetail
from accounts.models import Membership
from accounts.representation import api_user_detail, api_user_fields, group_detail
from accounts.services import api_users as services
from accounts.services import groups as group_services
from keyadmin.kernel.actor import Actor
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.rest import (
    CHANGE,
    MAKE,
    READ,
    Changes,
    In,
    Moment,
    NoFields,
    OrganizationRef,
    Page,
    RowId,
    UserRef,
    expected_version,
    idempotent,
    page_of,
    versioned,
)

router = Router(auth=Credential(), tags=["API users"])
MANAGING = Credential("user.ctrl")
NO_FIELDS = NoFields()
ONE = "/{user_id}"
KIND = "api"


class ApiUserOut(UserRef):
    description: str
    contact_email: str
    status: Literal["active", "disabled"]
    groups: list[NamedRef]
    organization: OrganizationRef
    created: Moment
    version: int


class ApiUserDetail(ApiUserOut):
    """`permissions` is what its user keys may do at this moment."""

    permissions: list[str]


class ApiUserList(Page):
    items: list[ApiUserOut]


class ApiUserIn(In):
    name: LongName
    description: Description = ""
    contact_email: Email = ""
    groups: Ids = []


class ApiUserPatch(Changes):
    name: LongName = ""
    description: Description = ""
    contact_email: Email = ""


class ReadOnlyAccessIn(In):
    resources: Annotated[list[Annotated[str, Field(max_length=80)]], Field(min_length=1, max_length=200)]


class ApiUserQuery(SearchQuery):
    status: Literal["active", "disabled", "all"] = "all"


@router.get("", response={200: ApiUserList, **READ}, operation_id="api_users_list", exclude_unset=True)
def list_api_users(request: HttpRequest, query: Query[ApiUserQuery]) -> dict[str, Any]:
    """API users, by name."""
    found = queries.visible_members(actor_of(request)).filter(user_kind=KIND)
    found = found.filter(queries.matching(query.search, "user__name", "user__description"))
    if query.status != "all":
        found = found.filter(user__is_active=query.status == "active")
    return page_of(request, found, query, api_user_fields)


@router.post("", auth=MANAGING, response={201: ApiUserDetail, **MAKE}, operation_id="api_users_create")
def create_api_user(request: HttpRequest, response: HttpResponse, body: ApiUserIn) -> Status[Any]:
    """Make an API user and put it in groups."""
    actor, organization = queries.organization_meant(actor_of(request))

    def act() -> dict[str, Any]:
        made = services.create_api_user(
            actor=actor,
            organization=organization,
            name=body.name,
            description=body.description,
            contact_email=body.contact_email,
            groups=queries.chosen_groups(actor, organization, body.groups),
        )
        return api_user_detail(queries.visible_member(actor, made.pk))

    return versioned(response, idempotent(request, actor, 201, act))


@router.get(ONE, response={200: ApiUserDetail, **READ}, operation_id="api_users_get")
def get_api_user(request: HttpRequest, response: HttpResponse, user_id: RowId) -> dict[str, Any]:
    """One API user, with what it may do."""
    return versioned(response, api_user_detail(queries.visible_member(actor_of(request), user_id, kind=KIND)))


@router.patch(ONE, auth=MANAGING, response={200: ApiUserDetail, **CHANGE}, operation_id="api_users_edit")
def edit_api_user(request: HttpRequest, response: HttpResponse, user_id: RowId, body: ApiUserPatch) -> dict[str, Any]:
    """Change name, description or contact address; absent fields stay."""
    actor, found = _one(request, user_id)
    services.edit_api_user(
        actor=actor,
        organization=found.organization,
        user=found.user,
        changes=cast(services.UserChanges, body.dict(exclude_unset=True)),
        expected_version=expected_version(request),
    )
    return versioned(response, api_user_detail(queries.visible_member(actor, user_id)))


@router.delete(ONE, auth=MANAGING, response={204: None, **MAKE}, operation_id="api_users_delete")
def delete_api_user(request: HttpRequest, user_id: RowId) -> Status[None]:
    """Remove an API user that has no key, not even a revoked one."""
    actor, found = _one(request, user_id)
    services.delete_api_user(actor=actor, organization=found.organization, user=found.user)
    return Status(204, None)


@router.post(f"{ONE}/disable", auth=MANAGING, response={200: ApiUserDetail, **MAKE}, operation_id="api_users_disable")
def disable_api_user(
    request: HttpRequest, response: HttpResponse, user_id: RowId, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Stop an API user and all its keys, until it is enabled."""
    return _act(request, response, user_id, services.disable_api_user)


@router.post(f"{ONE}/enable", auth=MANAGING, response={200: ApiUserDetail, **MAKE}, operation_id="api_users_enable")
def enable_api_user(
    request: HttpRequest, response: HttpResponse, user_id: RowId, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Let a disabled API user work again, and its keys with it."""
    return _act(request, response, user_id, services.enable_api_user)


@router.post(
    f"{ONE}/read-only-access",
    auth=Credential("group.ctrl"),
    response={201: GroupDetail, **MAKE},
    operation_id="api_users_create_read_only_access",
)
def create_read_only_access(request: HttpRequest, user_id: RowId, body: ReadOnlyAccessIn) -> Status[Any]:
    """Make a policy that views these resources and a group that has it, and put the API user in: all or nothing."""
    actor, found = _one(request, user_id)

    def act() -> dict[str, Any]:
        made = group_services.create_read_only_access(
            actor=actor, user=found.user, organization=found.organization, resources=body.resources
        )
        return group_detail(queries.visible_group(actor, made.pk))

    return idempotent(request, actor, 201, act)


def _one(request: HttpRequest, user_id: int) -> tuple[Actor, Membership]:
    actor = queries.meaning_one(actor_of(request))
    return actor, queries.visible_member(actor, user_id, kind=KIND)


def _act(request: HttpRequest, response: HttpResponse, user_id: int, service: Any) -> Status[Any]:
    actor, found = _one(request, user_id)

    def act() -> dict[str, Any]:
        service(actor=actor, organization=found.organization, user=found.user)
        return api_user_detail(queries.visible_member(actor, user_id))

    return versioned(response, idempotent(request, actor, 200, act))
