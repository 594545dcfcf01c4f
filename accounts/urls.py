from allauth.account import views as allauth
from django.urls import path

from accounts.views import api_users, groups, members, organizations, permissions, policies, settings, users
from accounts.views.home import home
from accounts.views.setup import set_up_page

API_USER, ORG = "o/<slug:org>/api-users/<int:pk>/", "o/<slug:org>/"
GROUP = f"{ORG}groups/<int:pk>/"
POLICY = f"{ORG}policies/<int:pk>/"
SETTINGS = f"{ORG}settings/"
MEMBER = f"{SETTINGS}members/<int:pk>/"
AS_API_USER, AS_MEMBER = {"kind": users.API_USER}, {"kind": users.PERSON}

urlpatterns = [
    path("", home, name="home"),
    path("setup/<str:token>/", set_up_page, name="setup"),
    path("sign-in/", allauth.login, name="account_login"),
    path("sign-out/", allauth.logout, name="account_logout"),
    path("sign-in/inactive/", allauth.account_inactive, name="account_inactive"),
    path(f"{ORG}api-users/", api_users.api_user_list, name="api_users"),
    path(f"{ORG}api-users/new/", api_users.new_api_user, name="api_user_new"),
    path(API_USER, users.api_user_page, name="api_user"),
    path(f"{API_USER}edit/", api_users.edit_api_user, name="api_user_edit"),
    path(f"{API_USER}disable/", api_users.disable_api_user, name="api_user_disable"),
    path(f"{API_USER}enable/", api_users.enable_api_user, name="api_user_enable"),
    path(f"{API_USER}delete/", api_users.delete_api_user, name="api_user_delete"),
    path(f"{API_USER}read-only/", api_users.new_read_only_access, name="api_user_read_only"),
    path(f"{API_USER}groups/add/", users.join_groups, AS_API_USER, name="api_user_join"),
    path(f"{API_USER}groups/<int:group_id>/remove/", users.leave_group, AS_API_USER, name="api_user_leave"),
    path(f"{ORG}groups/", groups.group_list, name="groups"),
    path(f"{ORG}groups/new/", groups.new_group, name="group_new"),
    path(GROUP, groups.group_page, name="group"),
    path(f"{GROUP}edit/", groups.edit_group, name="group_edit"),
    path(f"{GROUP}delete/", groups.delete_group, name="group_delete"),
    path(f"{GROUP}members/add/", groups.add_members, name="group_add_members"),
    path(f"{GROUP}members/<int:user_id>/remove/", groups.remove_member, name="group_remove_member"),
    path(f"{GROUP}policies/add/", groups.add_policies, name="group_add_policies"),
    path(f"{GROUP}policies/<int:policy_id>/remove/", groups.remove_policy, name="group_remove_policy"),
    path(f"{ORG}policies/", policies.policy_list, name="policies"),
    path(f"{ORG}policies/new/", policies.new_policy, name="policy_new"),
    path(f"{ORG}policies/new/preview/", policies.preview_new, name="policy_new_preview"),
    path(POLICY, policies.policy_page, name="policy"),
    path(f"{POLICY}edit/", policies.edit_policy, name="policy_edit"),
    path(f"{POLICY}edit/preview/", policies.preview_edit, name="policy_preview"),
    path(f"{POLICY}delete/", policies.delete_policy, name="policy_delete"),
    path(f"{ORG}permissions/", permissions.permission_list, name="permissions"),
    path(f"{ORG}permissions/new/", permissions.new_permission, name="permission_new"),
    path(f"{ORG}permissions/<str:name>/edit/", permissions.edit_permission, name="permission_edit"),
    path(f"{ORG}permissions/<str:name>/delete/", permissions.delete_permission, name="permission_delete"),
    path(SETTINGS, settings.general, name="settings"),
    path(f"{SETTINGS}key-policy/", settings.key_policy, name="key_policy"),
    path(f"{SETTINGS}suspend/", settings.suspend, name="suspend"),
    path(f"{SETTINGS}resume/", settings.resume, name="resume"),
    path(f"{SETTINGS}members/", members.member_list, name="members"),
    path(f"{SETTINGS}members/invite/", members.invite, name="invite"),
    path(f"{SETTINGS}invitations/<int:pk>/withdraw/", members.withdraw, name="withdraw"),
    path(MEMBER, users.member_page, name="member"),
    path(f"{MEMBER}remove/", members.remove_member, name="member_remove"),
    path(f"{MEMBER}groups/add/", users.join_groups, AS_MEMBER, name="member_join"),
    path(f"{MEMBER}groups/<int:group_id>/remove/", users.leave_group, AS_MEMBER, name="member_leave"),
    path("orgs/", organizations.switch, name="orgs"),
    path("instance/organizations/", organizations.organization_list, name="organizations"),
    path("instance/organizations/new/", organizations.new_organization, name="organization_new"),
]
