"""Objects of an organisation, made by the operator, for tests that fill them into addresses."""

import itertools
import re

from accounts.models import Group, Invitation, Organization, Permission, Policy, User
from accounts.services.api_users import create_api_user
from accounts.services.catalogue import create_permission
from accounts.services.groups import create_group
from accounts.services.invitations import invite
from accounts.services.policies import create_policy
from tests.world import OPERATOR, World, person

_numbers = itertools.count(1)
_PART = re.compile(r"[<{](\w+)[>}]")


def api_user(organization: Organization) -> User:
    return create_api_user(actor=OPERATOR, organization=organization, name=f"Service {next(_numbers)}")


def policy(organization: Organization, *patterns: str) -> Policy:
    name = f"Policy {next(_numbers)}"
    return create_policy(actor=OPERATOR, organization=organization, name=name, patterns=patterns or ["view_customer"])


def group(organization: Organization, *patterns: str) -> Group:
    """A group that gives the patterns; without any it gives nothing."""
    policies = [policy(organization, *patterns)] if patterns else []
    return create_group(actor=OPERATOR, organization=organization, name=f"Group {next(_numbers)}", policies=policies)


def invitation(organization: Organization) -> Invitation:
    return invite(actor=OPERATOR, organization=organization, email=f"guest{next(_numbers)}@example.org")[0]


def permission() -> Permission:
    return create_permission(actor=OPERATOR, name=f"view_cake_{next(_numbers)}", fields={"label": "View cakes"})


def ids(organization: Organization, world: World, *, member: bool) -> dict[str, str]:
    """For each part of an address something new that it can stand for; `member`: a person instead of an API user."""
    user = person(f"Person{next(_numbers)}", organization) if member else api_user(organization)
    return {
        "organization": organization.slug,
        "user_id": str(user.pk),
        "group_id": str(group(organization).pk),
        "policy_id": str(policy(organization).pk),
        "invitation_id": str(invitation(organization).pk),
        "name": permission().name,
        "api_key_id": str(world.key(organization=organization).key.pk),
    }


def filled(path: str, world: World, organization: Organization | None = None) -> str:
    """The path with its parts, `<group_id>` or `{group_id}`, filled by new objects of acme (or another one)."""
    if not _PART.search(path):
        return path
    values = ids(organization or world.acme, world, member="/members/" in path)
    return _PART.sub(lambda part: values[part.group(1)], path)
