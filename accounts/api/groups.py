"""REST for groups: who is in them, and which policies they have."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status

from accounts import queries
from accounts.api.common import Description, Ids, Name, NamedRef, SearchQuery
from accounts.representation import group_detail, group_fields
from accounts.services import groups as services
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
    RowId,
    Shape,
    UserRef,
    expected_version,
    idempotent,
    page_of,
    versioned,
)

router = Router(auth=Credential(), tags=["Groups"])
MANAGING = Credential("group.ctrl")
ONE, MEMBER = "/{group_id}", "/{group_id}/members/{user_id}"


class GroupOut(Shape):
    id: int
    name: str
    description: str
    policies: list[NamedRef]
    organization: OrganizationRef
    created: Moment
    version: int


class GroupDetail(GroupOut):
    """`permissions` is all that the group gives; `members` are the first 200 by name, `/members?group=` has all."""

    permissions: list[str]
    member_count: int
    members: list[UserRef]


class GroupList(Page):
    items: list[GroupOut]


class GroupIn(In):
    name: Name
    description: Description = ""
    policies: Ids = []


class GroupPatch(Changes):
    name: Name = ""
    description: Description = ""
    policies: Ids = []


@router.get("", response={200: GroupList, **READ}, operation_id="groups_list", exclude_unset=True)
def list_groups(request: HttpRequest, query: Query[SearchQuery]) -> dict[str, Any]:
    """Groups, by name."""
    found = queries.visible_groups(actor_of(request)).filter(queries.matching(query.search, "name", "description"))
    return page_of(request, found, query, group_fields)


@router.post("", auth=MANAGING, response={201: GroupDetail, **MAKE}, operation_id="groups_create")
def create_group(request: HttpRequest, response: HttpResponse, body: GroupIn) -> Status[Any]:
    """Make a group with policies. All that they give must be held."""
    actor, organization = queries.organization_meant(actor_of(request))

    def act() -> dict[str, Any]:
        made = services.create_group(
            actor=actor,
            organization=organization,
            name=body.name,
            description=body.description,
            policies=queries.chosen_policies(actor, organization, body.policies),
        )
        return group_detail(queries.visible_group(actor, made.pk))

    return versioned(response, idempotent(request, actor, 201, act))


@router.get(ONE, response={200: GroupDetail, **READ}, operation_id="groups_get")
def get_group(request: HttpRequest, response: HttpResponse, group_id: RowId) -> dict[str, Any]:
    """One group, with all that it gives and its members."""
    return versioned(response, group_detail(queries.visible_group(actor_of(request), group_id)))


@router.patch(ONE, auth=MANAGING, response={200: GroupDetail, **CHANGE}, operation_id="groups_edit")
def edit_group(request: HttpRequest, response: HttpResponse, group_id: RowId, body: GroupPatch) -> dict[str, Any]:
    """Change name, description or policies; absent fields stay. What a new policy gives must be held."""
    actor = queries.meaning_one(actor_of(request))
    group = queries.visible_group(actor, group_id)
    changes = services.GroupChanges()
    if "name" in body.model_fields_set:
        changes["name"] = body.name
    if "description" in body.model_fields_set:
        changes["description"] = body.description
    if "policies" in body.model_fields_set:
        changes["policies"] = queries.chosen_policies(actor, group.organization, body.policies)
    services.edit_group(actor=actor, group=group, changes=changes, expected_version=expected_version(request))
    return versioned(response, group_detail(queries.visible_group(actor, group_id)))


@router.delete(ONE, auth=MANAGING, response={204: None, **MAKE}, operation_id="groups_delete")
def delete_group(request: HttpRequest, group_id: RowId) -> Status[None]:
    """Remove a group; its members lose what it gave them."""
    actor = queries.meaning_one(actor_of(request))
    services.delete_group(actor=actor, group=queries.visible_group(actor, group_id))
    return Status(204, None)


@router.put(MEMBER, auth=MANAGING, response={204: None, **MAKE}, operation_id="groups_add_member")
def add_member(request: HttpRequest, group_id: RowId, user_id: RowId) -> Status[None]:
    """Put a user of the organisation in the group. All that the group gives must be held."""
    _change_members(request, group_id, user_id, services.add_member)
    return Status(204, None)


@router.delete(MEMBER, auth=MANAGING, response={204: None, **MAKE}, operation_id="groups_remove_member")
def remove_member(request: HttpRequest, group_id: RowId, user_id: RowId) -> Status[None]:
    """Take a user out of the group."""
    _change_members(request, group_id, user_id, services.remove_member)
    return Status(204, None)


def _change_members(request: HttpRequest, group_id: int, user_id: int, service: Any) -> None:
    actor = queries.meaning_one(actor_of(request))
    group = queries.visible_group(actor, group_id)
    service(actor=actor, group=group, user=queries.possible_member(actor, group, user_id))
