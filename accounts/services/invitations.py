"""Invitations: how people come into an organisation. By a link that works once, for seven days."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db.models import QuerySet

from accounts import access
from accounts.models import Group, GroupMember, Invitation, Membership, Organization, User, UserKind
from accounts.services.common import BIGGEST_ID, clean_email
from accounts.services.organizations import add_membership
from accounts.services.people import NAME_LENGTH
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor, operator
from keyadmin.kernel.errors import ConflictError, NotFoundError
from keyadmin.kernel.text import clean_line

LIFE = timedelta(days=7)
MISSING = "This invitation is not complete, was withdrawn, has been used, or is older than seven days."


def invite(
    *, actor: Actor, organization: Organization, email: str, groups: Iterable[Group] = ()
) -> tuple[Invitation, str]:
    """Invite an address into an organisation and its groups; returns the invitation with the token of its link.

    An open invitation of the same address is replaced. All that the groups give must be held.
    Raises DeniedError (`user.ctrl`, `group.ctrl`), InvalidError, NotFoundError, ConflictError for a member.
    """
    access.require(actor, "user.ctrl", organization.pk)
    address = clean_email("email", email)
    groups = list(groups)
    for group in groups:
        if group.organization_id != organization.pk:
            raise NotFoundError("There is no such group.")
        access.require(actor, "group.ctrl", organization.pk)
        access.require_holds(actor, access.patterns_of(group), organization.pk)
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with work.unit(actor) as unit:
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        if Membership.objects.filter(organization=organization, user__email=address).exists():
            raise ConflictError(f"{address} is in {organization.name} already.")
        if not all(actor.may_touch(other.created_by_key) for other in _open(organization).filter(email=address)):
            raise ConflictError(f"{address} is invited to {organization.name} already.")
        _open(organization).filter(email=address).update(withdrawn_at=now)
        invitation = Invitation(
            organization=organization,
            email=address,
            token_digest=_digest(token),
            created_at=now,
            created_by_id=actor.user_id,
            created_by_label=actor.label,
            created_by_key=actor.key_id,
            expires_at=now + LIFE,
        )
        invitation.save(force_insert=True)
        invitation.groups.set(groups)
        unit.record(
            EventName.INVITATION_CREATED,
            _target(invitation),
            organizations=[organization.pk],
            after={"email": address, "groups": [group.name for group in groups]},
        )
    return invitation, token


def withdraw(*, actor: Actor, organization: Organization, invitation_id: int) -> None:
    """Make the link of an open invitation worthless. Raises DeniedError (`user.ctrl`), NotFoundError."""
    access.require(actor, "user.ctrl", organization.pk)
    with work.unit(actor) as unit:
        rows = _open(organization).select_for_update(no_key=True)
        found = rows.filter(pk=invitation_id).first() if 0 < invitation_id <= BIGGEST_ID else None
        if found is None or not actor.may_touch(found.created_by_key):
            raise NotFoundError("There is no such invitation.")
        found.withdrawn_at = clock.now()
        found.save(force_update=True)
        unit.record(EventName.INVITATION_WITHDRAWN, _target(found), organizations=[organization.pk])


def opened(token: str) -> Invitation:
    """The invitation that a link leads to. Raises NotFoundError for one that does not work (any longer)."""
    found = (
        Invitation.objects.select_related("organization")
        .filter(token_digest=_digest(token), accepted_at=None, withdrawn_at=None, expires_at__gt=clock.now())
        .filter(organization__suspended_at=None)
        .first()
    )
    if found is None:
        raise NotFoundError(MISSING)
    return found


def accept_as(*, user: User, token: str, address: str = "", request_id: str = "") -> Invitation:
    """Take a signed-in person into the organisation. The link must have been sent to their address.

    Raises NotFoundError for a link that does not work, also for one that was sent to somebody else.
    """
    invitation = opened(token)
    if user.email != invitation.email:
        raise NotFoundError(f"This invitation is for {invitation.email}. Sign in with that address.")
    return _accept(invitation, user, address=address, request_id=request_id)


def accept_as_new(
    *, token: str, name: str, encoded_password: str, address: str = "", request_id: str = ""
) -> tuple[User, Invitation]:
    """Make the person whom the link invites, with the address that it was sent to, and take them in.

    Raises NotFoundError for a link that does not work, InvalidError, ConflictError if the address has an account.
    """
    invitation = opened(token)
    user = User(
        kind=UserKind.PERSON,
        name=clean_line("name", name, longest=NAME_LENGTH),
        email=invitation.email,
        password=encoded_password,
        created_at=clock.now(),
    )
    with work.unit(_by_link(invitation, address, request_id)) as unit:
        if User.objects.filter(email=user.email).exists():
            raise ConflictError("There is an account with this address: sign in to accept the invitation.")
        user.save(force_insert=True)
        EmailAddress(user=user, email=user.email, verified=True, primary=True).save(force_insert=True)
        unit.record(
            EventName.PERSON_CREATED,
            Target("user", user.pk, user.name),
            after={"uid": str(user.uid), "name": user.name, "email": user.email, "is_instance_admin": False},
        )
        _accept(invitation, user, address=address, request_id=request_id)
    return user, invitation


def _accept(invitation: Invitation, user: User, *, address: str, request_id: str) -> Invitation:
    actor = _by_link(invitation, address, request_id)
    with work.unit(actor) as unit:
        row = _open(invitation.organization).select_for_update(no_key=True).filter(pk=invitation.pk).first()
        if row is None or row.expires_at <= clock.now():
            raise NotFoundError(MISSING)
        # What the groups give was checked when the invitation was made: that was the giving.
        membership = add_membership(actor=actor, organization=invitation.organization, user=user)
        groups = list(row.groups.all())
        GroupMember.objects.bulk_create([GroupMember(group=group, membership=membership) for group in groups])
        row.accepted_at, row.accepted_by = clock.now(), user
        row.save(force_update=True)
        unit.changes_rights()
        unit.record(
            EventName.INVITATION_ACCEPTED,
            _target(row),
            organizations=[row.organization_id],
            after={"member": user.name, "member_id": user.pk, "groups": [group.name for group in groups]},
        )
    return row


def _by_link(invitation: Invitation, address: str, request_id: str) -> Actor:
    """Whoever holds the link acts with the word of the one who sent it."""
    label = f"invitation of {invitation.email}"
    return operator(label=label, address=address, request_id=request_id).meaning(invitation.organization_id)


def _open(organization: Organization) -> QuerySet[Invitation]:
    return Invitation.objects.filter(organization=organization, accepted_at=None, withdrawn_at=None)


def _target(invitation: Invitation) -> Target:
    return Target("invitation", invitation.pk, invitation.email)


def _digest(token: str) -> str:
    # 256 bits of the system's CSPRNG: a plain digest suffices (ASVS 5.0 6.5.2).
    return hashlib.sha256(token.encode()).hexdigest()
