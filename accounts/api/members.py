"""REST for who is in an organisation: people and API users."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status

from accounts import queries
from accounts.api.common import NamedRef, SearchQuery
from accounts.models import User, UserKind
from accounts.representation import member_detail, member_fields
from accounts.services import organizations as services
from accounts.services import second_factor, sessions
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.identity import require_identity
from keyadmin.web.rest import MAKE, READ, Moment, OrganizationRef, Page, RowId, UserRef, page_of

router = Router(auth=Credential(), tags=["Members"])


class MemberOut(UserRef):
    """`email` is null for API users."""

    email: str | None
    active: bool
    groups: list[NamedRef]
    organization: OrganizationRef
    joined: Moment


class MemberDetail(MemberOut):
    """`permissions` is what the user may do in the organisation at this moment."""

    permissions: list[str]


class MemberList(Page):
    items: list[MemberOut]


class MemberQuery(SearchQuery):
    group: RowId | None = None


@router.get("", response={200: MemberList, **READ}, operation_id="members_list", exclude_unset=True)
def list_members(request: HttpRequest, query: Query[MemberQuery]) -> dict[str, Any]:
    """People and API users, by name."""
    found = queries.visible_members(actor_of(request))
    found = found.filter(queries.matching(query.search, "user__name", "user__email"))
    if query.group is not None:
        found = found.filter(groups__group=query.group)
    return page_of(request, found, query, member_fields)


@router.get("/{user_id}", response={200: MemberDetail, **READ}, operation_id="members_get")
def get_member(request: HttpRequest, user_id: RowId) -> dict[str, Any]:
    """One member, with what they may do."""
    actor = queries.meaning_one(actor_of(request))
    return member_detail(queries.visible_member(actor, user_id))


@router.delete("/{user_id}", auth=Credential("user.ctrl"), response={204: None, **MAKE}, operation_id="members_remove")
def remove_member(request: HttpRequest, user_id: RowId) -> Status[None]:
    """Take a person out of the organisation and its groups; their user keys stop reaching it at once."""
    actor = queries.meaning_one(actor_of(request))
    found = queries.visible_member(actor, user_id)
    services.remove_membership(actor=actor, organization=found.organization, user=found.user)
    return Status(204, None)


@router.delete(
    "/{user_id}/second-factor",
    auth=Credential("setting.ctrl"),
    response={204: None, **MAKE},
    operation_id="members_remove_second_factor",
)
def remove_second_factor(request: HttpRequest, user_id: RowId) -> Status[None]:
    """Remove app, passkeys and recovery codes of a person who has lost theirs; they are signed out everywhere."""
    second_factor.remove_all(actor=actor_of(request), user=_person(request, user_id))
    return Status(204, None)


@router.delete(
    "/{user_id}/sessions",
    auth=Credential("setting.ctrl"),
    response={204: None, **MAKE},
    operation_id="members_end_sessions",
)
def end_sessions(request: HttpRequest, user_id: RowId) -> Status[None]:
    """Sign a person out everywhere."""
    sessions.end_all(actor=actor_of(request), user=_person(request, user_id))
    return Status(204, None)


def _person(request: HttpRequest, user_id: int) -> User:
    require_identity(request)
    return queries.visible_member(queries.meaning_one(actor_of(request)), user_id, kind=UserKind.PERSON).user
