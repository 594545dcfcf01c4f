from accounts.models.groups import Group, GroupMember, Policy, PolicyVersion
from accounts.models.invitations import Invitation
from accounts.models.organizations import KeyPolicy, Membership, Organization
from accounts.models.permissions import Permission
from accounts.models.users import User, UserKind

__all__ = [
    "Group",
    "GroupMember",
    "Invitation",
    "KeyPolicy",
    "Membership",
    "Organization",
    "Permission",
    "Policy",
    "PolicyVersion",
    "User",
    "UserKind",
]
