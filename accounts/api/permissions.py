"""REST for the permission catalogue: public to read; names of one's own can be added."""

from typing import Annotated, Any, Literal, cast

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field

from accounts import queries
from accounts.representation import permission_fields
from accounts.services import catalogue as services
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.rest import (
    MAKE,
    Changes,
    In,
    Page,
    PageQuery,
    PageSize,
    PermissionName,
    Shape,
    idempotent,
    page_of,
    problems,
)

router = Router(auth=Credential("permission.ctrl"), tags=["Permissions"])

Label = Annotated[str, Field(min_length=1, max_length=150)]
Word = Annotated[str, Field(min_length=1, max_length=80)]
Description = Annotated[str, Field(max_length=2000)]
Tasks = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=services.LONGEST_LIST)]
Action = Literal["view", "create", "update", "delete", "other"]
Risk = Literal["low", "medium", "high"]


class PermissionOut(Shape):
    name: str
    label: str
    resource: str
    action: Action
    category: str
    risk: Risk
    description: str
    tasks: list[str]


class PermissionList(Page):
    items: list[PermissionOut]


class PermissionIn(In):
    name: PermissionName
    label: Label
    resource: Word = "Other"
    action: Action = "other"
    category: Word = "Custom"
    risk: Risk = "medium"
    description: Description = ""
    tasks: Tasks = []


class PermissionPatch(Changes):
    label: Label = ""
    resource: Word = ""
    action: Action = "other"
    category: Word = ""
    risk: Risk = "medium"
    description: Description = ""
    tasks: Tasks = []


class PermissionQuery(PageQuery):
    page_size: PageSize = 200


@router.get(
    "",
    response={200: PermissionList, **problems(400, 422, 500, 503)},
    auth=None,
    operation_id="permissions_list",
    exclude_unset=True,
)
def list_permissions(request: HttpRequest, query: Query[PermissionQuery]) -> dict[str, Any]:
    """All permissions that exist. Public."""
    return page_of(request, queries.permissions(), query, permission_fields)


@router.post("", response={201: PermissionOut, **MAKE}, operation_id="permissions_create")
def create_permission(request: HttpRequest, body: PermissionIn) -> Status[Any]:
    """Add a name of one's own to the catalogue."""
    actor = actor_of(request)
    fields = cast(services.PermissionChanges, body.dict(exclude_unset=True, exclude={"name"}))

    def act() -> dict[str, Any]:
        return permission_fields(services.create_permission(actor=actor, name=body.name, fields=fields))

    return idempotent(request, actor, 201, act)


@router.patch("/{name}", response={200: PermissionOut, **MAKE}, operation_id="permissions_edit")
def edit_permission(request: HttpRequest, name: PermissionName, body: PermissionPatch) -> dict[str, Any]:
    """Change what a custom permission is said to be; its name stays, and so do absent fields."""
    changes = cast(services.PermissionChanges, body.dict(exclude_unset=True))
    return permission_fields(services.edit_permission(actor=actor_of(request), name=name, changes=changes))


@router.delete("/{name}", response={204: None, **MAKE}, operation_id="permissions_delete")
def delete_permission(request: HttpRequest, name: PermissionName) -> Status[None]:
    """Take a custom permission away that no policy names."""
    services.delete_permission(actor=actor_of(request), name=name)
    return Status(204, None)
