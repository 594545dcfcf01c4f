"""The closed list of event names, and what an event says of its target."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Fields = Mapping[str, object]


class EventName(StrEnum):
    """What happened. A name, once written to a log, keeps its meaning for ever."""

    INSTANCE_SET_UP = "instance.set_up"
    SETUP_LINK_ISSUED = "instance.setup_link_issued"
    PERMISSIONS_LOADED = "permissions.loaded"
    ORGANIZATION_CREATED = "organization.created"
    PERSON_CREATED = "person.created"
    API_USER_CREATED = "api_user.created"
    MEMBERSHIP_CREATED = "membership.created"
    GROUP_CREATED = "group.created"
    GROUP_MEMBER_ADDED = "group.member_added"
    POLICY_CREATED = "policy.created"
    API_KEY_CREATED = "api_key.created"
    API_KEY_UPDATED = "api_key.updated"
    API_KEY_PAUSED = "api_key.paused"
    API_KEY_RESUMED = "api_key.resumed"
    API_KEY_REGENERATED = "api_key.regenerated"
    API_KEY_SECRET_CONFIRMED = "api_key.secret_confirmed"  # noqa: S105
    API_KEY_REVOKED = "api_key.revoked"
    API_KEY_DELETED = "api_key.deleted"


@dataclass(frozen=True, slots=True)
class Target:
    """What an event is about: copies, so that the log outlives it."""

    kind: str
    id: int | None
    label: str


INSTANCE = 0  # the chain of what concerns no single organisation
