"""The log in words: what each event is called, under which heading it stands, what its fields and values are called."""

from collections.abc import Mapping

from keyadmin.activity.events import SIGN_INS, EventName
from keyadmin.kernel.actor import ActorKind

# `{...}` is taken from what the event says of its target; what follows a `|` leads on to the target's name, and
# is left out where the action stands alone; see `action` and `action_on`.
ACTIONS: dict[EventName, str] = {
    EventName.INSTANCE_SET_UP: "Set up Keyadmin",
    EventName.SETUP_LINK_ISSUED: "Issued a set-up link",
    EventName.SETTINGS_UPDATED: "Changed",
    EventName.PERMISSIONS_LOADED: "Loaded permissions",
    EventName.PERMISSION_CREATED: "Created permission",
    EventName.PERMISSION_UPDATED: "Edited permission",
    EventName.PERMISSION_DELETED: "Deleted permission",
    EventName.ORGANIZATION_CREATED: "Created organisation",
    EventName.ORGANIZATION_UPDATED: "Edited organisation",
    EventName.ORGANIZATION_SUSPENDED: "Suspended organisation",
    EventName.ORGANIZATION_RESUMED: "Resumed organisation",
    EventName.KEY_POLICY_UPDATED: "Changed the key policy| of",
    EventName.PERSON_CREATED: "Created person",
    EventName.PERSON_UPDATED: "Edited person",
    EventName.PERSON_DISABLED: "Disabled person",
    EventName.PERSON_ENABLED: "Enabled person",
    EventName.PERSON_SIGNED_IN: "Signed in",
    EventName.PERSON_SIGNED_OUT: "Signed out",
    EventName.PERSON_PASSWORD_CHANGED: "Changed the password| of",
    EventName.PERSON_PASSWORD_RESET: "Reset the password| of",
    EventName.PERSON_TOTP_ACTIVATED: "Turned on the authenticator app| of",
    EventName.PERSON_TOTP_DEACTIVATED: "Turned off the authenticator app| of",
    EventName.PERSON_PASSKEY_ADDED: "Added a passkey| of",
    EventName.PERSON_PASSKEY_RENAMED: "Renamed a passkey| of",
    EventName.PERSON_PASSKEY_REMOVED: "Removed a passkey| of",
    EventName.PERSON_RECOVERY_CODES_MADE: "Made recovery codes| for",
    EventName.PERSON_RECOVERY_CODE_USED: "Used a recovery code| of",
    EventName.PERSON_SECOND_FACTOR_REMOVED: "Removed the second factor| of",
    EventName.PERSON_SESSIONS_ENDED: "Ended sessions| of",
    EventName.API_USER_CREATED: "Created API user",
    EventName.API_USER_UPDATED: "Edited API user",
    EventName.API_USER_DISABLED: "Disabled API user",
    EventName.API_USER_ENABLED: "Enabled API user",
    EventName.API_USER_DELETED: "Deleted API user",
    EventName.MEMBERSHIP_CREATED: "Added member",
    EventName.MEMBERSHIP_REMOVED: "Removed member",
    EventName.INVITATION_CREATED: "Invited",
    EventName.INVITATION_ACCEPTED: "Accepted the invitation| for",
    EventName.INVITATION_WITHDRAWN: "Withdrew the invitation| for",
    EventName.GROUP_CREATED: "Created group",
    EventName.GROUP_UPDATED: "Edited group",
    EventName.GROUP_DELETED: "Deleted group",
    EventName.GROUP_MEMBER_ADDED: "Added {member} to group",
    EventName.GROUP_MEMBER_REMOVED: "Removed {member} from group",
    EventName.POLICY_CREATED: "Created policy",
    EventName.POLICY_UPDATED: "Edited policy",
    EventName.POLICY_DELETED: "Deleted policy",
    EventName.API_KEY_CREATED: "Created API key",
    EventName.API_KEY_UPDATED: "Edited API key",
    EventName.API_KEY_PAUSED: "Paused API key",
    EventName.API_KEY_RESUMED: "Resumed API key",
    EventName.API_KEY_REGENERATED: "Regenerated API key",
    EventName.API_KEY_ASSIGNED: "Assigned API key",
    EventName.API_KEY_SECRET_CONFIRMED: "Confirmed the saved secret| of",
    EventName.API_KEY_BLOCKED: "Blocked API key",
    EventName.API_KEY_UNBLOCKED: "Unblocked API key",
    EventName.API_KEY_REVOKED: "Revoked API key",
    EventName.API_KEY_DELETED: "Deleted API key",
    EventName.SITE_KEY_CREATED: "Created the site key",
    EventName.SITE_KEY_REPLACED: "Replaced the site key| by",
    EventName.SITE_KEY_OVERLAP_ENDED: "Ended the overlap| of the former site key",
    EventName.SITE_KEY_SECRET_CONFIRMED: "Confirmed the saved site key",
    EventName.SITE_KEY_DEMANDED: "Demanded the site key",
    EventName.SITE_KEY_DEMAND_ENDED: "Stopped demanding the site key",
    EventName.SITE_KEY_REVOKED: "Revoked the site key",
}
UNKNOWN = {"member": "a member"}

# A heading of the filter, what all of it is called, and the things (the first part of a name) that stand under it.
GROUPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "api_keys": ("API keys", "Anything about API keys", ("api_key",)),
    "people": (
        "People and groups",
        "Anything about people and groups",
        ("person", "api_user", "membership", "invitation", "group", "policy"),
    ),
    "sign_ins": ("Sign-ins", "All sign-ins and sign-outs", ()),
    "instance": (
        "Instance",
        "Anything about the instance",
        ("instance", "settings", "permissions", "permission", "organization", "key_policy", "site_key"),
    ),
}

ACTORS = {
    ActorKind.PERSON.value: "Person",
    ActorKind.KEY.value: "API key",
    ActorKind.OPERATOR.value: "Operator",
    ActorKind.SYSTEM.value: "Keyadmin",
}
TARGETS = {
    "api_key": "API key",
    "user": "User",
    "group": "Group",
    "policy": "Policy",
    "organization": "Organisation",
    "pack": "Permission pack",
    "permission": "Permission",
    "invitation": "Invitation",
    "instance": "Instance",
    "settings": "Settings",
    "site_key": "Site key",
}
FIELDS = {
    "owner": "Owner (user ID)",
    "token_id": "Token ID",
    "patterns": "Permissions",
    "names": "Permissions",
    "email": "E-mail address",
    "is_instance_admin": "Instance administrator",
    "api_key_rounds_no": "Rounds of slow hashes",
    "oid": "OID",
    "uid": "UID",
    "member_id": "User ID",
}
# Those that come first, in this order; the others by name.
FIRST = (
    "name",
    "description",
    "kind",
    "owner",
    "environment",
    "permissions",
    "allowed_networks",
    "rate_limit",
    "expiry_date",
)
# What it means that a field holds nothing, or an empty list.
NOTHING = {
    "expiry_date": "Never",
    "token_id": "None: a secret made elsewhere",
    "permissions": "All that its owner may do",
    "rate_limit": "The organisation's default",
    "default_rate_limit": "No limit",
    "api_key_rounds_no": "None saved",
}
EMPTY = {"allowed_networks": "From anywhere", "permissions": "None", "policies": "None", "second_factor": "None"}
VALUES = {
    "organization": "Organisation key",
    "user": "User key",
    "api": "API user",
    "person": "Person",
}


def action(name: str, after: Mapping[str, object] | None = None) -> str:
    """What was done, by itself: `Created API key`, `Added a passkey`, `Added Kim to group`."""
    if name not in ACTIONS:
        return name  # written by a later version
    return ACTIONS[EventName(name)].partition("|")[0].format_map({**UNKNOWN, **(after or {})})


def action_on(name: str, after: Mapping[str, object] | None = None) -> str:
    """The same before the name of what it was done to: `Created API key`, `Added a passkey of`."""
    link = ACTIONS[EventName(name)].partition("|")[2] if name in ACTIONS else ""
    return action(name, after) + link


def names_in(group: str) -> tuple[EventName, ...]:
    """The events that stand under a heading of GROUPS."""
    if group == "sign_ins":
        return SIGN_INS
    things = GROUPS[group][2]
    return tuple(name for name in EventName if name.partition(".")[0] in things and name not in SIGN_INS)


def field(name: str) -> str:
    """`allowed_networks` as `Allowed networks`."""
    return FIELDS.get(name) or name.replace("_", " ").capitalize()


def place(name: str) -> tuple[int, str]:
    """Where a field stands among the others."""
    return FIRST.index(name) if name in FIRST else len(FIRST), name
