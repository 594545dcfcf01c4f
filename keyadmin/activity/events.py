"""The closed list of event names, and what an event says of its target."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Fields = Mapping[str, object]


class EventName(StrEnum):
    """What happened. A name, once written to a log, keeps its meaning for ever."""

    INSTANCE_SET_UP = "instance.set_up"
    SETUP_LINK_ISSUED = "instance.setup_link_issued"
    SETTINGS_UPDATED = "settings.updated"
    PERMISSIONS_LOADED = "permissions.loaded"
    PERMISSION_CREATED = "permission.created"
    PERMISSION_UPDATED = "permission.updated"
    PERMISSION_DELETED = "permission.deleted"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_UPDATED = "organization.updated"
    ORGANIZATION_SUSPENDED = "organization.suspended"
    ORGANIZATION_RESUMED = "organization.resumed"
    KEY_POLICY_UPDATED = "key_policy.updated"
    PERSON_CREATED = "person.created"
    PERSON_UPDATED = "person.updated"
    PERSON_DISABLED = "person.disabled"
    PERSON_ENABLED = "person.enabled"
    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_SIGNED_OUT = "person.signed_out"
    PERSON_PASSWORD_CHANGED = "person.password_changed"  # noqa: S105
    PERSON_PASSWORD_RESET = "person.password_reset"  # noqa: S105
    PERSON_TOTP_ACTIVATED = "person.totp_activated"
    PERSON_TOTP_DEACTIVATED = "person.totp_deactivated"
    PERSON_PASSKEY_ADDED = "person.passkey_added"
    PERSON_PASSKEY_RENAMED = "person.passkey_renamed"
    PERSON_PASSKEY_REMOVED = "person.passkey_removed"
    PERSON_RECOVERY_CODES_MADE = "person.recovery_codes_made"
    PERSON_RECOVERY_CODE_USED = "person.recovery_code_used"
    PERSON_SECOND_FACTOR_REMOVED = "person.second_factor_removed"
    PERSON_SESSIONS_ENDED = "person.sessions_ended"
    API_USER_CREATED = "api_user.created"
    API_USER_UPDATED = "api_user.updated"
    API_USER_DISABLED = "api_user.disabled"
    API_USER_ENABLED = "api_user.enabled"
    API_USER_DELETED = "api_user.deleted"
    MEMBERSHIP_CREATED = "membership.created"
    MEMBERSHIP_REMOVED = "membership.removed"
    INVITATION_CREATED = "invitation.created"
    INVITATION_ACCEPTED = "invitation.accepted"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    GROUP_CREATED = "group.created"
    GROUP_UPDATED = "group.updated"
    GROUP_DELETED = "group.deleted"
    GROUP_MEMBER_ADDED = "group.member_added"
    GROUP_MEMBER_REMOVED = "group.member_removed"
    POLICY_CREATED = "policy.created"
    POLICY_UPDATED = "policy.updated"
    POLICY_DELETED = "policy.deleted"
    API_KEY_CREATED = "api_key.created"
    API_KEY_UPDATED = "api_key.updated"
    API_KEY_PAUSED = "api_key.paused"
    API_KEY_RESUMED = "api_key.resumed"
    API_KEY_REGENERATED = "api_key.regenerated"
    API_KEY_ASSIGNED = "api_key.assigned"
    API_KEY_SECRET_CONFIRMED = "api_key.secret_confirmed"  # noqa: S105
    API_KEY_BLOCKED = "api_key.blocked"
    API_KEY_UNBLOCKED = "api_key.unblocked"
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_DELETED = "api_key.deleted"
    SITE_KEY_CREATED = "site_key.created"
    SITE_KEY_REPLACED = "site_key.replaced"
    SITE_KEY_OVERLAP_ENDED = "site_key.overlap_ended"
    SITE_KEY_SECRET_CONFIRMED = "site_key.secret_confirmed"  # noqa: S105
    SITE_KEY_DEMANDED = "site_key.demanded"
    SITE_KEY_DEMAND_ENDED = "site_key.demand_ended"
    SITE_KEY_REVOKED = "site_key.revoked"


SIGN_INS = (EventName.PERSON_SIGNED_IN, EventName.PERSON_SIGNED_OUT)


@dataclass(frozen=True, slots=True)
class Target:
    """What an event is about: copies, so that the log outlives it."""

    kind: str
    id: int | None
    label: str


INSTANCE = 0  # the chain of what concerns no single organisation
