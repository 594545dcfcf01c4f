from allauth.account import views as account
from django.urls import path

from accounts.views import me, signin, sso
from accounts.views.home import home
from accounts.views.invitations import accept_invitation
from accounts.views.setup import set_up_page

# The names are allauth's: it finds its pages by them.
urlpatterns = [
    path("", home, name="home"),
    path("setup/<str:token>/", set_up_page, name="setup"),
    path("invitation/<str:token>/", accept_invitation, name="invitation"),
    path("sign-in/", signin.login, name="account_login"),
    path("sign-in/passkey/", signin.login_by_passkey, name="mfa_login_webauthn"),
    path("sign-in/sso/", sso.begin, {"provider_id": sso.PROVIDER}, name="openid_connect_login"),
    path("sign-in/sso/callback/", sso.callback, {"provider_id": sso.PROVIDER}, name="openid_connect_callback"),
    path("sign-in/2fa/", signin.second_step, name="mfa_authenticate"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-in/reset/", account.password_reset, name="account_reset_password"),
    path("sign-in/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    path("sign-in/reset/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("sign-in/reset/<str:key>/", signin.reset_password, name="account_reset_password_from_key"),
    path("sign-out/", account.logout, name="account_logout"),
    path("me/", me.profile, name="me"),
    path("me/confirm/", signin.confirm, name="account_reauthenticate"),
    path("me/confirm/code/", signin.confirm_by_code, name="mfa_reauthenticate"),
    path("me/confirm/passkey/", signin.confirm_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("me/security/", me.Security.as_view(), name="mfa_index"),
    path("me/security/password/", signin.change_password, name="account_change_password"),
    path("me/security/app/", signin.activate_app, name="mfa_activate_totp"),
    path("me/security/app/remove/", signin.remove_app, name="mfa_deactivate_totp"),
    path("me/security/codes/", signin.recovery_codes, name="mfa_view_recovery_codes"),
    path("me/security/codes/new/", signin.new_recovery_codes, name="mfa_generate_recovery_codes"),
    path("me/security/passkeys/add/", signin.add_passkey, name="mfa_add_webauthn"),
    path("me/security/passkeys/<int:pk>/rename/", signin.rename_passkey, name="mfa_edit_webauthn"),
    path("me/security/passkeys/<int:pk>/remove/", signin.remove_passkey, name="mfa_remove_webauthn"),
    path("me/security/sessions/end-others/", me.end_other_sessions, name="end_other_sessions"),
    path("me/security/sessions/<int:pk>/end/", me.end_session, name="end_session"),
]
