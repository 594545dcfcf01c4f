"""Who may do what: every route of the installation, with every kind of caller (R22)."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import count

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from ninja.operation import PathView

from accounts import queries
from accounts.services.api_users import create_api_user
from accounts.services.catalogue import create_permission
from accounts.services.groups import create_group
from accounts.services.invitations import invite
from accounts.services.policies import create_policy
from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from keyadmin.system import heartbeat
from tests.api.calls import call, json_of
from tests.api.objects import filled
from tests.rows import remembered
from tests.world import OPERATOR, World, person

CALLERS = ("anonymous", "nobody", "auditor", "developer", "manager", "admin", "stranger", "bare", "strong", "foreign")

PUBLIC = "200 200 200 200 200 200 200 200 200 200"
SIGNED_OUT = "200 302 302 302 302 302 302 200 200 200"
SET_UP = "409 409 409 409 409 409 409 409 409 409"
WRONG_METHOD = "405 405 405 405 405 405 405 405 405 405"
LISTING = "401 403 200 200 200 200 200 403 200 200"
READING = "401 403 200 404 200 200 404 403 200 404"
CHANGING = "401 403 403 404 200 200 404 403 200 404"
DELETING = "401 403 403 404 204 204 404 403 204 404"
# Pages of an organisation: who is no signed-in person is sent to sign in. A form without its fields: 422.
PAGE_LISTING = "302 403 200 200 200 200 404 302 302 302"
PAGE_READ_ONLY = "303 405 405 405 405 405 404 303 303 303"
PAGE_READING = "302 403 200 404 200 200 404 302 302 302"
PAGE_ASKING = "302 403 403 404 200 200 404 302 302 302"
PAGE_REFUSING = "303 403 403 404 422 422 404 303 303 303"
PAGE_ACTING = "303 403 403 404 303 303 404 303 303 303"
PAGE_POST_ONLY = "302 405 405 405 405 405 404 302 302 302"
# Pages about people, groups, policies, settings: who may look, and who may change (here administrators alone).
PAGE_LOOKING = "302 403 200 403 200 200 404 302 302 302"
PAGE_MANAGING = "302 403 403 403 403 200 404 302 302 302"
PAGE_MANAGED = "303 403 403 403 403 303 404 303 303 303"
PAGE_MISTYPED = "303 403 403 403 403 422 404 303 303 303"
PAGE_ASSIGNING = "303 403 403 403 422 422 404 303 303 303"
PAGE_FORESEEING = "303 403 403 403 403 200 404 303 303 303"
INSTANCE_READING = "302 403 403 403 403 200 403 302 302 302"
INSTANCE_ACTING = "303 403 403 403 403 303 403 303 303 303"
INSTANCE_REFUSING = "303 403 403 403 403 422 403 303 303 303"
# Pages about the person signed in, whoever that is. What one does not have is not there.
MINE = "302 200 200 200 200 200 200 302 302 302"
MINE_SENT = "303 200 200 200 200 200 200 303 303 303"
NOT_MINE = "302 404 404 404 404 404 404 302 302 302"
NOT_MINE_SENT = "303 404 404 404 404 404 404 303 303 303"
MINE_READ_ONLY = "303 405 405 405 405 405 405 303 303 303"
NOT_THERE = "404 404 404 404 404 404 404 404 404 404"
ELSEWHERE = "302 302 302 302 302 302 302 302 302 302"  # steps of a sign-in that nobody here is in
SENT_ON = "303 302 302 302 302 302 302 303 303 303"
CREATING = "401 403 403 201 201 201 201 403 201 201"
# Organisations, members, groups, policies: the key manager sees them all, the developer nothing.
SEEING = "401 403 200 403 200 200 200 403 200 200"
SETTINGS = "401 403 200 403 200 200 404 403 200 404"
MAKING = "401 403 403 403 403 201 201 403 201 201"
MANAGING = "401 403 403 403 403 200 404 403 200 404"
REMOVING = "401 403 403 403 403 204 404 403 204 404"
INSTANCE_CREATING = "401 403 403 403 403 201 403 403 403 403"
INSTANCE_CHANGING = "401 403 403 403 403 200 403 403 403 403"
INSTANCE_REMOVING = "401 403 403 403 403 204 403 403 403 403"

# For each method and route the statuses, in the order of CALLERS:
#   anonymous  no credential at all
#   nobody     a member of acme who is in no group
#   auditor, developer, manager   sessions of members of acme's ready groups
#   admin      the session of an instance administrator, who names acme
#   stranger   the session of an administrator of globex
#   bare, strong   organisation keys of acme, without any and with all permissions
#   foreign    an organisation key of globex with all permissions
# `{api_key_id}` is an organisation key of acme that none of the callers made; so are the other objects (objects.py).
# A view that answers several methods by itself has a row for GET and one for POST.
ROUTES = {
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": "401 403 403 403 403 200 403 403 403 403",
    "POST /metrics": WRONG_METHOD,
    "GET /static/css/tokens.css": PUBLIC,
    "GET /": "302 302 302 302 302 302 302 302 302 302",
    "POST /": WRONG_METHOD,
    "GET /setup/<str:token>/": SET_UP,
    "POST /setup/<str:token>/": SET_UP,
    "GET /sign-in/": SIGNED_OUT,
    "POST /sign-in/": SIGNED_OUT,
    "GET /sign-out/": "302 200 200 200 200 200 200 302 302 302",
    "POST /sign-out/": "302 302 302 302 302 302 302 302 302 302",
    "GET /sign-in/inactive/": PUBLIC,
    "POST /sign-in/inactive/": WRONG_METHOD,
    "GET /sign-in/passkey/": ELSEWHERE,
    "POST /sign-in/passkey/": ELSEWHERE,
    "GET /sign-in/sso/": NOT_THERE,  # off
    "POST /sign-in/sso/": NOT_THERE,
    "GET /sign-in/sso/callback/": NOT_THERE,
    "POST /sign-in/sso/callback/": NOT_THERE,
    "GET /sign-in/2fa/": ELSEWHERE,
    "POST /sign-in/2fa/": ELSEWHERE,
    "GET /sign-in/reset/": PUBLIC,
    "POST /sign-in/reset/": PUBLIC,
    "GET /sign-in/reset/sent/": PUBLIC,
    "POST /sign-in/reset/sent/": WRONG_METHOD,
    "GET /sign-in/reset/done/": PUBLIC,
    "POST /sign-in/reset/done/": WRONG_METHOD,
    "GET /sign-in/reset/<str:key>/": NOT_THERE,
    "POST /sign-in/reset/<str:key>/": NOT_THERE,
    "GET /invitation/<str:token>/": NOT_THERE,
    "POST /invitation/<str:token>/": NOT_THERE,
    "GET /me/": MINE,
    "POST /me/": "303 422 422 422 422 422 422 303 303 303",
    "GET /me/session/": MINE,
    "POST /me/session/": MINE_SENT,
    "GET /me/confirm/": MINE,
    "POST /me/confirm/": MINE_SENT,
    "GET /me/confirm/code/": ELSEWHERE,
    "POST /me/confirm/code/": SENT_ON,
    "GET /me/confirm/passkey/": ELSEWHERE,
    "POST /me/confirm/passkey/": SENT_ON,
    "GET /me/keys/": MINE,
    "POST /me/keys/": WRONG_METHOD,
    "GET /me/keys/new/": "302 403 403 200 200 200 200 302 302 302",
    "POST /me/keys/new/": "303 403 403 422 422 422 422 303 303 303",
    "GET /me/keys/new/preview/": WRONG_METHOD,
    "POST /me/keys/new/preview/": "303 403 403 200 200 200 200 303 303 303",
    "GET /me/security/": MINE,
    "POST /me/security/": MINE_READ_ONLY,
    "GET /me/security/password/": MINE,
    "POST /me/security/password/": MINE_SENT,
    "GET /me/security/app/": MINE,
    "POST /me/security/app/": MINE_SENT,
    "GET /me/security/app/remove/": NOT_MINE,
    "POST /me/security/app/remove/": NOT_MINE_SENT,
    "GET /me/security/codes/": NOT_MINE,
    "POST /me/security/codes/": MINE_READ_ONLY,
    "GET /me/security/codes/new/": MINE,
    "POST /me/security/codes/new/": MINE_SENT,
    "GET /me/security/passkeys/add/": MINE,
    "POST /me/security/passkeys/add/": MINE_SENT,
    "GET /me/security/passkeys/<int:pk>/rename/": NOT_MINE,
    "POST /me/security/passkeys/<int:pk>/rename/": NOT_MINE_SENT,
    "GET /me/security/passkeys/<int:pk>/remove/": NOT_MINE,
    "POST /me/security/passkeys/<int:pk>/remove/": NOT_MINE_SENT,
    "GET /me/security/sessions/end-others/": WRONG_METHOD,
    "POST /me/security/sessions/end-others/": SENT_ON,
    "GET /me/security/sessions/<int:pk>/end/": WRONG_METHOD,
    "POST /me/security/sessions/<int:pk>/end/": NOT_MINE_SENT,
    "GET /theme/": WRONG_METHOD,
    "POST /theme/": "303 303 303 303 303 303 303 303 303 303",
    "GET /o/<slug:org>/": PAGE_LISTING,
    "POST /o/<slug:org>/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/keys/": PAGE_LISTING,
    "POST /o/<slug:org>/keys/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/keys/new/": "302 403 403 200 200 200 404 302 302 302",
    "POST /o/<slug:org>/keys/new/": "303 403 403 422 422 422 404 303 303 303",
    "GET /o/<slug:org>/keys/new/preview/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/keys/new/preview/": "303 403 403 200 200 200 404 303 303 303",
    "GET /o/<slug:org>/keys/<int:pk>/": PAGE_READING,
    "POST /o/<slug:org>/keys/<int:pk>/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/keys/<int:pk>/simulate/": PAGE_READING,
    "POST /o/<slug:org>/keys/<int:pk>/simulate/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/keys/<int:pk>/edit/": PAGE_ASKING,
    "POST /o/<slug:org>/keys/<int:pk>/edit/": PAGE_REFUSING,
    "GET /o/<slug:org>/keys/<int:pk>/edit/preview/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/keys/<int:pk>/edit/preview/": "303 403 403 404 200 200 404 303 303 303",
    "GET /o/<slug:org>/keys/<int:pk>/regenerate/": PAGE_ASKING,
    "POST /o/<slug:org>/keys/<int:pk>/regenerate/": PAGE_REFUSING,
    "GET /o/<slug:org>/keys/<int:pk>/saved/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/keys/<int:pk>/saved/": "303 403 403 404 412 412 404 303 303 303",  # names no secret
    "GET /o/<slug:org>/keys/<int:pk>/pause/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/keys/<int:pk>/pause/": PAGE_ACTING,
    "GET /o/<slug:org>/keys/<int:pk>/resume/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/keys/<int:pk>/resume/": PAGE_ACTING,
    # Nobody can block a key of the organisation itself.
    "GET /o/<slug:org>/keys/<int:pk>/block/": "302 403 403 404 422 422 404 302 302 302",
    "POST /o/<slug:org>/keys/<int:pk>/block/": PAGE_REFUSING,
    "GET /o/<slug:org>/keys/<int:pk>/unblock/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/keys/<int:pk>/unblock/": PAGE_REFUSING,
    "GET /o/<slug:org>/keys/<int:pk>/revoke/": PAGE_ASKING,
    "POST /o/<slug:org>/keys/<int:pk>/revoke/": PAGE_REFUSING,
    "GET /o/<slug:org>/keys/<int:pk>/delete/": PAGE_ASKING,
    "POST /o/<slug:org>/keys/<int:pk>/delete/": PAGE_REFUSING,
    "GET /o/<slug:org>/activity/": "302 403 200 403 403 200 404 302 302 302",
    "POST /o/<slug:org>/activity/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/activity/<int:sequence>/": "302 403 200 403 403 200 404 302 302 302",
    "POST /o/<slug:org>/activity/<int:sequence>/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/api-users/": PAGE_LOOKING,
    "POST /o/<slug:org>/api-users/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/api-users/new/": PAGE_MANAGING,
    "POST /o/<slug:org>/api-users/new/": PAGE_MISTYPED,
    "GET /o/<slug:org>/api-users/<int:pk>/": PAGE_LOOKING,
    "POST /o/<slug:org>/api-users/<int:pk>/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/api-users/<int:pk>/edit/": PAGE_MANAGING,
    "POST /o/<slug:org>/api-users/<int:pk>/edit/": PAGE_MISTYPED,
    "GET /o/<slug:org>/api-users/<int:pk>/disable/": PAGE_MANAGING,
    "POST /o/<slug:org>/api-users/<int:pk>/disable/": PAGE_MANAGED,
    "GET /o/<slug:org>/api-users/<int:pk>/enable/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/api-users/<int:pk>/enable/": PAGE_MANAGED,
    "GET /o/<slug:org>/api-users/<int:pk>/delete/": PAGE_MANAGING,
    "POST /o/<slug:org>/api-users/<int:pk>/delete/": PAGE_MANAGED,
    "GET /o/<slug:org>/api-users/<int:pk>/read-only/": PAGE_MANAGING,
    "POST /o/<slug:org>/api-users/<int:pk>/read-only/": PAGE_MISTYPED,
    "GET /o/<slug:org>/api-users/<int:pk>/groups/add/": PAGE_MANAGING,
    "POST /o/<slug:org>/api-users/<int:pk>/groups/add/": PAGE_MISTYPED,
    "GET /o/<slug:org>/api-users/<int:pk>/groups/<int:group_id>/remove/": PAGE_MANAGING,
    "POST /o/<slug:org>/api-users/<int:pk>/groups/<int:group_id>/remove/": PAGE_MANAGED,
    "GET /o/<slug:org>/api-users/<int:pk>/api-key/": PAGE_LOOKING,
    "POST /o/<slug:org>/api-users/<int:pk>/api-key/": PAGE_ASSIGNING,
    "GET /o/<slug:org>/groups/": PAGE_LOOKING,
    "POST /o/<slug:org>/groups/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/groups/new/": PAGE_MANAGING,
    "POST /o/<slug:org>/groups/new/": PAGE_MISTYPED,
    "GET /o/<slug:org>/groups/<int:pk>/": PAGE_LOOKING,
    "POST /o/<slug:org>/groups/<int:pk>/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/groups/<int:pk>/edit/": PAGE_MANAGING,
    "POST /o/<slug:org>/groups/<int:pk>/edit/": PAGE_MISTYPED,
    "GET /o/<slug:org>/groups/<int:pk>/delete/": PAGE_MANAGING,
    "POST /o/<slug:org>/groups/<int:pk>/delete/": PAGE_MANAGED,
    "GET /o/<slug:org>/groups/<int:pk>/members/add/": PAGE_MANAGING,
    "POST /o/<slug:org>/groups/<int:pk>/members/add/": PAGE_MISTYPED,
    "GET /o/<slug:org>/groups/<int:pk>/members/<int:user_id>/remove/": PAGE_MANAGING,
    "POST /o/<slug:org>/groups/<int:pk>/members/<int:user_id>/remove/": PAGE_MANAGED,
    "GET /o/<slug:org>/groups/<int:pk>/policies/add/": PAGE_MANAGING,
    "POST /o/<slug:org>/groups/<int:pk>/policies/add/": PAGE_MISTYPED,
    "GET /o/<slug:org>/groups/<int:pk>/policies/<int:policy_id>/remove/": PAGE_MANAGING,
    "POST /o/<slug:org>/groups/<int:pk>/policies/<int:policy_id>/remove/": PAGE_MANAGED,
    "GET /o/<slug:org>/policies/": PAGE_LOOKING,
    "POST /o/<slug:org>/policies/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/policies/new/": PAGE_MANAGING,
    "POST /o/<slug:org>/policies/new/": PAGE_MISTYPED,
    "GET /o/<slug:org>/policies/new/preview/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/policies/new/preview/": PAGE_FORESEEING,
    "GET /o/<slug:org>/policies/<int:pk>/": PAGE_LOOKING,
    "POST /o/<slug:org>/policies/<int:pk>/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/policies/<int:pk>/edit/": PAGE_MANAGING,
    "POST /o/<slug:org>/policies/<int:pk>/edit/": PAGE_MISTYPED,
    "GET /o/<slug:org>/policies/<int:pk>/edit/preview/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/policies/<int:pk>/edit/preview/": PAGE_FORESEEING,
    "GET /o/<slug:org>/policies/<int:pk>/groups/add/": PAGE_MANAGING,
    "POST /o/<slug:org>/policies/<int:pk>/groups/add/": PAGE_MISTYPED,
    "GET /o/<slug:org>/policies/<int:pk>/delete/": PAGE_MANAGING,
    "POST /o/<slug:org>/policies/<int:pk>/delete/": PAGE_MANAGED,
    "GET /o/<slug:org>/permissions/": "302 200 200 200 200 200 404 302 302 302",
    "POST /o/<slug:org>/permissions/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/permissions/new/": PAGE_MANAGING,
    "POST /o/<slug:org>/permissions/new/": PAGE_MISTYPED,
    "GET /o/<slug:org>/permissions/<str:name>/edit/": PAGE_MANAGING,
    "POST /o/<slug:org>/permissions/<str:name>/edit/": PAGE_MISTYPED,
    "GET /o/<slug:org>/permissions/<str:name>/delete/": PAGE_MANAGING,
    "POST /o/<slug:org>/permissions/<str:name>/delete/": PAGE_MANAGED,
    "GET /o/<slug:org>/settings/": PAGE_LOOKING,
    "POST /o/<slug:org>/settings/": PAGE_MISTYPED,
    "GET /o/<slug:org>/settings/key-policy/": PAGE_LOOKING,
    "POST /o/<slug:org>/settings/key-policy/": PAGE_MISTYPED,
    "GET /o/<slug:org>/settings/suspend/": PAGE_MANAGING,
    "POST /o/<slug:org>/settings/suspend/": PAGE_MISTYPED,
    "GET /o/<slug:org>/settings/resume/": PAGE_POST_ONLY,
    "POST /o/<slug:org>/settings/resume/": PAGE_MANAGED,
    "GET /o/<slug:org>/settings/members/": PAGE_LOOKING,
    "POST /o/<slug:org>/settings/members/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/settings/members/invite/": PAGE_MANAGING,
    "POST /o/<slug:org>/settings/members/invite/": PAGE_MISTYPED,
    "GET /o/<slug:org>/settings/invitations/<int:pk>/withdraw/": PAGE_MANAGING,
    "POST /o/<slug:org>/settings/invitations/<int:pk>/withdraw/": PAGE_MANAGED,
    "GET /o/<slug:org>/settings/members/<int:pk>/": PAGE_LOOKING,
    "POST /o/<slug:org>/settings/members/<int:pk>/": PAGE_READ_ONLY,
    "GET /o/<slug:org>/settings/members/<int:pk>/remove/": PAGE_MANAGING,
    "POST /o/<slug:org>/settings/members/<int:pk>/remove/": PAGE_MANAGED,
    "GET /o/<slug:org>/settings/members/<int:pk>/second-factor/remove/": PAGE_MANAGING,
    "POST /o/<slug:org>/settings/members/<int:pk>/second-factor/remove/": PAGE_MANAGED,
    "GET /o/<slug:org>/settings/members/<int:pk>/sessions/end/": PAGE_MANAGING,
    "POST /o/<slug:org>/settings/members/<int:pk>/sessions/end/": PAGE_MANAGED,
    "GET /o/<slug:org>/settings/members/<int:pk>/groups/add/": PAGE_MANAGING,
    "POST /o/<slug:org>/settings/members/<int:pk>/groups/add/": PAGE_MISTYPED,
    "GET /o/<slug:org>/settings/members/<int:pk>/groups/<int:group_id>/remove/": PAGE_MANAGING,
    "POST /o/<slug:org>/settings/members/<int:pk>/groups/<int:group_id>/remove/": PAGE_MANAGED,
    "GET /o/<slug:org>/settings/members/<int:pk>/api-key/": PAGE_LOOKING,
    "POST /o/<slug:org>/settings/members/<int:pk>/api-key/": PAGE_ASSIGNING,
    "GET /orgs/": "302 200 200 200 200 200 200 302 302 302",
    "POST /orgs/": WRONG_METHOD,
    "GET /instance/organizations/": INSTANCE_READING,
    "POST /instance/organizations/": WRONG_METHOD,
    "GET /instance/organizations/new/": INSTANCE_READING,
    "POST /instance/organizations/new/": "303 403 403 403 403 422 403 303 303 303",
    "GET /instance/activity/": INSTANCE_READING,
    "POST /instance/activity/": WRONG_METHOD,
    "GET /instance/activity/<int:sequence>/": INSTANCE_READING,
    "POST /instance/activity/<int:sequence>/": WRONG_METHOD,
    "GET /instance/mail/": INSTANCE_READING,
    "POST /instance/mail/": WRONG_METHOD,
    "GET /instance/mail/<str:name>/": "302 403 403 403 403 404 403 302 302 302",
    "POST /instance/mail/<str:name>/": WRONG_METHOD,
    # Auditors of any organisation read it.
    "GET /instance/rounds/": "302 403 200 403 403 200 200 302 302 302",
    "POST /instance/rounds/": "303 403 403 403 403 422 403 303 303 303",
    "GET /instance/rounds/measure/": WRONG_METHOD,
    "POST /instance/rounds/measure/": "303 403 403 403 403 422 403 303 303 303",
    "GET /instance/site-key/": INSTANCE_READING,
    "POST /instance/site-key/": WRONG_METHOD,
    "GET /instance/site-key/replace/": INSTANCE_READING,
    "POST /instance/site-key/replace/": INSTANCE_REFUSING,
    "GET /instance/site-key/saved/": WRONG_METHOD,
    "POST /instance/site-key/saved/": "303 403 403 403 403 412 403 303 303 303",  # names none
    "GET /instance/site-key/end-overlap/": INSTANCE_READING,
    "POST /instance/site-key/end-overlap/": INSTANCE_ACTING,
    "GET /instance/site-key/demand/": INSTANCE_READING,
    "POST /instance/site-key/demand/": INSTANCE_REFUSING,  # there is none
    "GET /instance/site-key/stop-demanding/": INSTANCE_READING,
    "POST /instance/site-key/stop-demanding/": INSTANCE_ACTING,
    "GET /instance/site-key/revoke/": INSTANCE_READING,
    "POST /instance/site-key/revoke/": INSTANCE_ACTING,
    "GET /docs/": PUBLIC,
    "POST /docs/": WRONG_METHOD,
    "GET /docs/<slug:page>": PUBLIC,
    "POST /docs/<slug:page>": WRONG_METHOD,
    "GET /docs/errors/": PUBLIC,
    "POST /docs/errors/": WRONG_METHOD,
    "GET /docs/errors/<str:code>": PUBLIC,
    "POST /docs/errors/<str:code>": WRONG_METHOD,
    "GET /api/v1/openapi.json": PUBLIC,
    "POST /api/v1/openapi.json": WRONG_METHOD,
    "GET /api/v1/permissions": PUBLIC,
    "POST /api/v1/permissions": INSTANCE_CREATING,
    "PATCH /api/v1/permissions/<name>": INSTANCE_CHANGING,
    "DELETE /api/v1/permissions/<name>": "401 403 403 403 403 204 403 403 403 403",
    "GET /api/v1/organizations": "401 200 200 200 200 200 200 200 200 200",
    "POST /api/v1/organizations": INSTANCE_CREATING,
    "GET /api/v1/organizations/<organization>": SETTINGS,
    "PATCH /api/v1/organizations/<organization>": MANAGING,
    "GET /api/v1/organizations/<organization>/key-policy": SETTINGS,
    "PATCH /api/v1/organizations/<organization>/key-policy": MANAGING,
    "POST /api/v1/organizations/<organization>/suspend": INSTANCE_CHANGING,
    "POST /api/v1/organizations/<organization>/resume": INSTANCE_CHANGING,
    "GET /api/v1/members": SEEING,
    "GET /api/v1/members/<user_id>": SETTINGS,
    "DELETE /api/v1/members/<user_id>": REMOVING,
    "DELETE /api/v1/members/<user_id>/second-factor": INSTANCE_REMOVING,
    "DELETE /api/v1/members/<user_id>/sessions": INSTANCE_REMOVING,
    "GET /api/v1/invitations": SEEING,
    "POST /api/v1/invitations": MAKING,
    "DELETE /api/v1/invitations/<invitation_id>": REMOVING,
    "GET /api/v1/api-users": SEEING,
    "POST /api/v1/api-users": MAKING,
    "GET /api/v1/api-users/<user_id>": SETTINGS,
    "PATCH /api/v1/api-users/<user_id>": MANAGING,
    "DELETE /api/v1/api-users/<user_id>": REMOVING,
    "POST /api/v1/api-users/<user_id>/disable": MANAGING,
    "POST /api/v1/api-users/<user_id>/enable": MANAGING,
    "POST /api/v1/api-users/<user_id>/read-only-access": "401 403 403 403 403 201 404 403 201 404",
    "PUT /api/v1/users/<user_id>/api-key": CHANGING,
    "GET /api/v1/groups": SEEING,
    "POST /api/v1/groups": MAKING,
    "GET /api/v1/groups/<group_id>": SETTINGS,
    "PATCH /api/v1/groups/<group_id>": MANAGING,
    "DELETE /api/v1/groups/<group_id>": REMOVING,
    "PUT /api/v1/groups/<group_id>/members/<user_id>": REMOVING,
    "DELETE /api/v1/groups/<group_id>/members/<user_id>": REMOVING,
    "GET /api/v1/policies": SEEING,
    "POST /api/v1/policies": MAKING,
    "GET /api/v1/policies/<policy_id>": SETTINGS,
    "PATCH /api/v1/policies/<policy_id>": MANAGING,
    "DELETE /api/v1/policies/<policy_id>": REMOVING,
    "GET /api/v1/policies/<policy_id>/versions": SETTINGS,
    "POST /api/v1/policies/<policy_id>/restore": MANAGING,
    "GET /api/v1/settings": "401 403 200 403 403 200 200 403 200 200",
    "PATCH /api/v1/settings": INSTANCE_CHANGING,
    "GET /api/v1/site-key": INSTANCE_CHANGING,
    "POST /api/v1/site-key": INSTANCE_CREATING,
    "PATCH /api/v1/site-key": INSTANCE_CHANGING,
    "DELETE /api/v1/site-key": INSTANCE_REMOVING,
    "POST /api/v1/site-key/end-overlap": INSTANCE_CHANGING,
    "GET /api/v1/whoami": "401 200 200 200 200 200 200 200 200 200",
    "POST /api/v1/verify": "401 403 403 403 200 200 200 403 200 200",
    "POST /api/v1/simulate": "401 403 200 404 200 200 404 403 200 404",
    "GET /api/v1/api-keys": LISTING,
    "POST /api/v1/api-keys": CREATING,
    "GET /api/v1/api-keys/<api_key_id>": READING,
    "PATCH /api/v1/api-keys/<api_key_id>": CHANGING,
    "DELETE /api/v1/api-keys/<api_key_id>": DELETING,
    "POST /api/v1/api-keys/<api_key_id>/regenerate": CHANGING,
    "POST /api/v1/api-keys/<api_key_id>/pause": CHANGING,
    "POST /api/v1/api-keys/<api_key_id>/resume": CHANGING,
    "POST /api/v1/api-keys/<api_key_id>/revoke": CHANGING,
    "POST /api/v1/api-keys/<api_key_id>/block": "401 403 403 404 422 422 404 403 422 404",
    "POST /api/v1/api-keys/<api_key_id>/unblock": "401 403 403 404 422 422 404 403 422 404",
    "GET /api/v1/api-keys/<api_key_id>/usage": READING,
    "GET /api/v1/api-keys/<api_key_id>/access": READING,
    "GET /api/v1/access-log": LISTING,
    "GET /crm/api-keys": LISTING,
    "POST /crm/api-keys": CREATING,
    "GET /crm/api-keys/<api_key_id>": READING,
    "PATCH /crm/api-keys/<api_key_id>": CHANGING,
    "DELETE /crm/api-keys/<api_key_id>": DELETING,
    "GET /crm/customers": "401 403 403 403 403 200 200 403 200 200",
}

NUMBERS = count(1)

# Answered by middleware: these never reach the URL configuration.
ANSWERED_BEFORE = {"GET /healthz", "GET /readyz", "GET /static/css/tokens.css"}

# What stands for the parts of a route, and what a method sends.
PARTS = {
    "<slug:org>": "acme",
    "<int:sequence>": "1",
    "<str:token>": "wrong",
    "<str:key>": "wrong",
    "<str:name>": "nothing",
    "<slug:page>": "how-keys-work",
    "<str:code>": "invalid_key",
}
BODIES: dict[str, object] = {
    "POST /api/v1/api-keys": {"name": "x"},
    "POST /crm/api-keys": {"name": "x"},
    "POST /api/v1/permissions": {"name": "view_order", "label": "View orders"},
    "PATCH /api/v1/permissions/<name>": {"label": "See cakes"},
    "POST /api/v1/organizations": {"name": "Initech"},
    "PATCH /api/v1/organizations/<organization>/key-policy": {"reason_required": True},
    "PATCH /api/v1/settings": {"api_key_rounds_no": 30_000},
    "PATCH /api/v1/site-key": {"demanded": False},
    "POST /api/v1/invitations": {"email": "new@example.org"},
    "POST /api/v1/api-users": {"name": "New"},
    "POST /api/v1/api-users/<user_id>/read-only-access": {"resources": ["Customers"]},
    "POST /api/v1/groups": {"name": "New"},
    "POST /api/v1/policies": {"name": "New", "patterns": ["view_customer"]},
    "POST /api/v1/policies/<policy_id>/restore": {"version": 1},
    "POST /api/v1/verify": {"key": "nonsense"},
}


def operations(patterns: Iterable[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Each method and route that the installation answers."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from operations(pattern.url_patterns, route)
            continue
        methods = {"GET", "POST"}
        for cell in getattr(pattern.callback, "__closure__", None) or ():
            if isinstance(cell.cell_contents, PathView):
                methods = {method for operation in cell.cell_contents.operations for method in operation.methods}
        if pattern.name != "api-root":  # ninja's, in the shade of our start page
            yield from (f"{method} {route}" for method in sorted(methods))


@pytest.fixture
def callers(world: World) -> dict[str, Client]:
    """A client for each; their sessions and keys are made once and are there before anything else."""

    def sessions_and_keys() -> tuple[dict[str, str], dict[str, str]]:
        people = {name: getattr(world, name) for name in ("auditor", "developer", "manager", "admin", "stranger")}
        people["nobody"] = person("Nob", world.acme)
        keys = {"bare": world.key(), "strong": world.key("*"), "foreign": world.key("*", organization=world.globex)}
        return (
            {name: world.client(user).cookies[settings.SESSION_COOKIE_NAME].value for name, user in people.items()},
            {name: key.secret for name, key in keys.items()},
        )

    sessions, keys = remembered("callers of every route", sessions_and_keys)
    clients = {name: world.client(key=keys.get(name, "")) for name in CALLERS}
    for name, session in sessions.items():
        clients[name].cookies[settings.SESSION_COOKIE_NAME] = session
    clients["admin"].defaults["HTTP_X_ORGANIZATION"] = "acme"
    return clients


def parts_of(world: World, route: str) -> dict[str, str]:
    """What stands for `<int:pk>` and the like in routes about people, groups and policies: made for one request."""
    acme, found = world.acme, dict[str, str]()
    readers = queries.group_named(acme, "Readers")
    name = f"thing {next(NUMBERS)}"
    if "/api-users/" in route:
        user = create_api_user(actor=OPERATOR, organization=acme, name=name, groups=[readers])
        found = {"<int:pk>": str(user.pk), "<int:group_id>": str(readers.pk)}
    elif "/members/<int:pk>/" in route:
        found = {"<int:pk>": str(world.developer.pk), "<int:group_id>": str(readers.pk)}
    elif "/invitations/" in route:
        invitation, _ = invite(actor=OPERATOR, organization=acme, email=f"{name.replace(' ', '')}@example.org")
        found = {"<int:pk>": str(invitation.pk)}
    elif "/groups/" in route or "/policies/" in route:
        policy = create_policy(actor=OPERATOR, organization=acme, name=name, patterns=["view_customer"])
        group = create_group(
            actor=OPERATOR, organization=acme, name=name, policies=[policy] if "/groups/<int:pk>" in route else []
        )
        found = {
            "<int:pk>": str(group.pk if "/groups/<int:pk>" in route else policy.pk),
            "<int:policy_id>": str(policy.pk),
            "<int:user_id>": str(world.robot.pk),
        }
    elif "/permissions/<str:name>/" in route:
        row = create_permission(actor=OPERATOR, name=name.replace(" ", "_"), fields={"label": name})
        found = {"<str:name>": row.name}
    return found


def address(world: World, route: str) -> str:
    """The route with its parts filled by objects made for it."""
    key = world.key(expires_at=clock.now() + timedelta(days=9)).key
    if route.rstrip("/").endswith("/resume"):
        APIKey.objects.filter(pk=key.pk).update(paused_at=clock.now())
    own = {"<api_key_id>": str(key.pk), "<int:pk>": str(key.pk), **PARTS, **parts_of(world, route)}
    path = route
    for part, value in own.items():
        path = path.replace(part, value)
    return filled(path, world)


@pytest.fixture(scope="module", autouse=True)
def a_worker() -> None:
    """One has just given a sign of life, else /readyz would say that there is none."""
    heartbeat.note()


def test_every_route_has_a_row() -> None:
    found = set(operations(get_resolver().url_patterns)) | ANSWERED_BEFORE
    missing, gone = sorted(found - set(ROUTES)), sorted(set(ROUTES) - found)
    assert not missing, (
        f"These routes are new: {missing}. Say who may use them: add a row to ROUTES in {__file__}, "
        f"with the status for each of {CALLERS}."
    )
    assert not gone, f"These rows of ROUTES in {__file__} have no route any more; remove them: {gone}"


@pytest.mark.parametrize("operation", ROUTES)
def test_each_caller_gets_what_the_row_says(world: World, callers: dict[str, Client], operation: str) -> None:
    expected = dict(zip(CALLERS, map(int, ROUTES[operation].split()), strict=True))
    method, route = operation.split(" ", 1)
    path, body, found = address(world, route), BODIES.get(operation, {"name": "y"} if method == "PATCH" else None), {}
    if route == "/api/v1/simulate":
        body = {"api_key_id": world.key().key.pk}
    for name, client in callers.items():
        # What one caller changes, the next one finds as it was.
        with transaction.atomic():
            found[name] = call(client, method, path, body).status_code
            transaction.set_rollback(True)
    assert found == expected


def test_refused_permissions_are_named_with_who_can_grant_them(callers: dict[str, Client]) -> None:
    nobody = callers["nobody"]
    for path, permission in (("/api/v1/api-keys", "apikey.view"), ("/crm/customers", "view_customer")):
        body = json_of(call(nobody, "GET", path))
        assert body["missing_permission"] == permission
        assert permission in body["detail"]
    assert "Administrators" in json_of(call(nobody, "GET", "/api/v1/api-keys"))["detail"]
