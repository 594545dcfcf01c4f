"""How what this package keeps stands in JSON: in REST answers and in what commands print."""

from collections.abc import Iterable

from accounts import access, queries
from accounts.models import (
    Group,
    Invitation,
    KeyPolicy,
    Membership,
    Organization,
    Permission,
    Policy,
    PolicyVersion,
    User,
)
from accounts.services.organizations import KeyPolicyChanges
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.patterns import reduced

SHOWN_MEMBERS = 200
PERMISSION_FIELDS = ("name", "label", "resource", "action", "category", "risk", "description", "tasks")


def organization_ref(organization: Organization) -> dict[str, str]:
    return {"oid": str(organization.oid), "slug": organization.slug, "name": organization.name}


def user_ref(user: User) -> dict[str, object]:
    return {"id": user.pk, "uid": str(user.uid), "kind": user.kind, "name": user.name}


def organization_fields(organization: Organization) -> dict[str, object]:
    """An organisation with its settings; `suspended_since` null: it works."""
    suspended = organization.suspended_at
    return {
        **organization_ref(organization),
        "contact_email": organization.contact_email,
        "two_factor_required": organization.two_factor_required,
        "suspended_since": clock.rfc3339(suspended) if suspended else None,
        "created": clock.rfc3339(organization.created_at),
        "version": organization.version,
    }


def key_policy_fields(policy: KeyPolicy) -> dict[str, object]:
    """What an organisation demands of keys."""
    return {name: getattr(policy, name) for name in (*KeyPolicyChanges.__annotations__, "version")}


def member_fields(membership: Membership) -> dict[str, object]:
    """A person or API user in an organisation; `email` is null for API users."""
    user = membership.user
    return {
        **user_ref(user),
        "email": user.email,
        "active": user.is_active,
        "groups": _named(row.group for row in membership.groups.all()),
        "organization": organization_ref(membership.organization),
        "joined": clock.rfc3339(membership.created_at),
    }


def member_detail(membership: Membership) -> dict[str, object]:
    """The same with what the user may do in the organisation at this moment."""
    return {**member_fields(membership), "permissions": _effective(membership)}


def api_user_fields(membership: Membership) -> dict[str, object]:
    """An API user in its organisation."""
    user = membership.user
    return {
        **user_ref(user),
        "description": user.description,
        "contact_email": user.contact_email,
        "status": "active" if user.is_active else "disabled",
        "groups": _named(row.group for row in membership.groups.all()),
        "organization": organization_ref(membership.organization),
        "created": clock.rfc3339(user.created_at),
        "version": user.version,
    }


def api_user_detail(membership: Membership) -> dict[str, object]:
    """The same with what it may do at this moment."""
    return {**api_user_fields(membership), "permissions": _effective(membership)}


def group_fields(group: Group) -> dict[str, object]:
    """A group with the policies that it has."""
    return {
        "id": group.pk,
        "name": group.name,
        "description": group.description,
        "policies": _named(group.policies.all()),
        "organization": organization_ref(group.organization),
        "created": clock.rfc3339(group.created_at),
        "version": group.version,
    }


def group_detail(group: Group) -> dict[str, object]:
    """The same with all that it gives, how many members it has, and the first of them."""
    return {
        **group_fields(group),
        "permissions": sorted(reduced(access.patterns_of(group))),
        "member_count": group.members.count(),
        "members": [user_ref(user) for user in queries.members_of(group, SHOWN_MEMBERS)],
    }


def policy_fields(policy: Policy) -> dict[str, object]:
    return {
        "id": policy.pk,
        "name": policy.name,
        "description": policy.description,
        "patterns": policy.patterns,
        "organization": organization_ref(policy.organization),
        "created": clock.rfc3339(policy.created_at),
        "version": policy.version,
    }


def policy_detail(actor: Actor, policy: Policy) -> dict[str, object]:
    """The same with the groups that have it; null for who may not look at groups."""
    named = access.may_view(actor, "group", policy.organization_id)
    return {**policy_fields(policy), "groups": _named(policy.groups.all()) if named else None}


def policy_version_fields(version: PolicyVersion) -> dict[str, object]:
    return {
        "version": version.version,
        "name": version.name,
        "description": version.description,
        "patterns": version.patterns,
        "saved": clock.rfc3339(version.saved_at),
        "saved_by": version.saved_by_label,
        "reason": version.reason,
    }


def invitation_fields(invitation: Invitation) -> dict[str, object]:
    return {
        "id": invitation.pk,
        "email": invitation.email,
        "groups": _named(invitation.groups.all()),
        "organization": organization_ref(invitation.organization),
        "created": clock.rfc3339(invitation.created_at),
        "created_by": invitation.created_by_label,
        "expires": clock.rfc3339(invitation.expires_at),
    }


def invitation_with_link(invitation: Invitation, token: str, *, base: str) -> dict[str, object]:
    """The same with its link, for the one answer in which it is shown; `base` is the address of the installation."""
    return {**invitation_fields(invitation), "link": f"{base}/invitation/{token}/"}


def permission_fields(permission: Permission) -> dict[str, object]:
    return {name: getattr(permission, name) for name in PERMISSION_FIELDS}


def _named(rows: Iterable[Group | Policy]) -> list[dict[str, object]]:
    """References by name; sorted here, as the rows come prefetched."""
    return [{"id": row.pk, "name": row.name} for row in sorted(rows, key=lambda row: row.name.lower())]


def _effective(membership: Membership) -> list[str]:
    held = access.held_by(membership.user).rights_in(membership.organization_id)
    return sorted(reduced(held.patterns))
