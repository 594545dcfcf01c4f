"""REST of the accounts, one file for each resource. Shapes only: every rule is in the services."""

from accounts.api import api_users, groups, invitations, members, organizations, permissions, policies

ROUTERS = {
    "organizations": organizations.router,
    "members": members.router,
    "invitations": invitations.router,
    "api-users": api_users.router,
    "groups": groups.router,
    "policies": policies.router,
    "permissions": permissions.router,
}
