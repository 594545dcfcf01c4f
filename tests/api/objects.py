"""Objects of an organisation, made by the operator, for tests that fill them into addresses."""

import itertools
import re
from collections.abc import Callable

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


def ids(organization: Organization, world: World, path: str) -> dict[str, str]:
    """For each part of the path, `<group_id>` or `{group_id}`, something new that it can stand for."""
    made: dict[str, Callable[[], object]] = {
        "organization": lambda: organization.slug,
        "user_id": lambda: (
            (person(f"Person{next(_numbers)}", organization) if "/members/" in path else api_user(organization)).pk
        ),
        "group_id": lambda: group(organization).pk,
        "policy_id": lambda: policy(organization).pk,
        "invitation_id": lambda: invitation(organization).pk,
        "name": lambda: permission().name,
        "api_key_id": lambda: world.key(organization=organization).key.pk,
    }
    return {part: str(made[part]()) for part in _PART.findall(path)}


def filled(path: str, world: World, organization: Organization | None = None) -> str:
    """The path with its parts filled by new objects of acme (or another one)."""
    values = ids(organization or world.acme, world, path)
    return _PART.sub(lambda part: values[part.group(1)], path)
