"""REST of the accounts: the permission catalogue, public."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router

from accounts import queries
from accounts.models import Permission
from keyadmin.web.rest import PageQuery, PageSize, Shape, page_of, problems

router = Router(tags=["Permissions"])


class PermissionOut(Shape):
    name: str
    label: str
    resource: str
    action: Literal["view", "create", "update", "delete", "other"]
    category: str
    risk: Literal["low", "medium", "high"]
    description: str
    tasks: list[str]


class PermissionList(Shape):
    items: list[PermissionOut]
    total: int
    total_capped: bool | None = None
    next: str | None
    previous: str | None


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
    return page_of(request, queries.permissions(), query, _out)


def _out(row: Permission) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PermissionOut.model_fields}
