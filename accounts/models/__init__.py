from accounts.models.groups import Group, GroupMember, Policy
from accounts.models.organizations import Membership, Organization
from accounts.models.permissions import Permission
from accounts.models.users import User, UserKind

__all__ = ["Group", "GroupMember", "Membership", "Organization", "Permission", "Policy", "User", "UserKind"]
