"""REST for invitations: links by which people join an organisation."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status

from accounts import mail, queries
from accounts.api.common import Email, Ids, NamedRef
from accounts.representation import invitation_fields, invitation_with_link
from accounts.services import invitations as services
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.rest import (
    MAKE,
    READ,
    In,
    Moment,
    OrganizationRef,
    Page,
    PageQuery,
    RowId,
    Shape,
    base_address,
    idempotent,
    page_of,
)

router = Router(auth=Credential(), tags=["Invitations"])
MANAGING = Credential("user.ctrl")


class InvitationOut(Shape):
    id: int
    email: str
    groups: list[NamedRef]
    organization: OrganizationRef
    created: Moment
    created_by: str
    expires: Moment


class SentInvitation(InvitationOut):
    """`link` is what the person needs: in this answer alone, not in its repetition; null where it was sent by mail."""

    link: str | None = None


class InvitationList(Page):
    items: list[InvitationOut]


class InvitationIn(In):
    email: Email
    groups: Ids = []


@router.get("", response={200: InvitationList, **READ}, operation_id="invitations_list", exclude_unset=True)
def list_invitations(request: HttpRequest, query: Query[PageQuery]) -> dict[str, Any]:
    """Invitations that were neither accepted nor withdrawn, the newest first."""
    return page_of(request, queries.open_invitations(actor_of(request)), query, invitation_fields)


@router.post(
    "", auth=MANAGING, response={201: SentInvitation, **MAKE}, operation_id="invitations_create", exclude_unset=True
)
def create_invitation(request: HttpRequest, body: InvitationIn) -> Status[Any]:
    """Invite an address, by mail where a server is set; else `link` is the way in. An open one is replaced."""
    actor, organization = queries.organization_meant(actor_of(request))

    def act() -> dict[str, Any]:
        groups = queries.chosen_groups(actor, organization, body.groups)
        made, token = services.invite(actor=actor, organization=organization, email=body.email, groups=groups)
        answer = invitation_with_link(made, token, base=base_address(request))
        return {**answer, "link": None} if mail.deliver(made, str(answer["link"])) else answer

    return idempotent(request, actor, 201, act)


@router.delete("/{invitation_id}", auth=MANAGING, response={204: None, **MAKE}, operation_id="invitations_withdraw")
def withdraw_invitation(request: HttpRequest, invitation_id: RowId) -> Status[None]:
    """Make the link of an open invitation worthless."""
    actor, organization = queries.organization_meant(actor_of(request))
    services.withdraw(actor=actor, organization=organization, invitation_id=invitation_id)
    return Status(204, None)
