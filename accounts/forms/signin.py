"""allauth's forms in our words; what they check is allauth's."""

import struct
from typing import Any, ClassVar

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base import forms as codes
from allauth.mfa.totp import forms as totp
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn import forms as passkeys
from django import forms

from accounts import queries
from accounts.services import second_factor

ADDRESS = "Write the e-mail address in full, such as dana@example.org."
GOOD_ONE = "At least 12 characters; a few words in a row are easier to remember than one odd word."
NAME_LENGTH = 60
NOT_A_CREDENTIAL = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)


class Plain(forms.Form):
    """No placeholders; each field has a label, and is called by it when it is missing."""

    use_required_attribute = False
    labels: ClassVar[dict[str, str]] = {}
    hints: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, "")
            field.widget.attrs.pop("placeholder", None)
            field.error_messages["required"] = f"{field.label} is missing."
            if isinstance(field, forms.EmailField):
                field.error_messages["invalid"] = ADDRESS
                field.widget.attrs["autocomplete"] = "username"


class SignInForm(Plain, account.LoginForm):
    labels: ClassVar = {"login": "E-mail address", "password": "Password"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autofocus"] = True


class ResetForm(Plain, account.ResetPasswordForm):
    labels: ClassVar = {"email": "E-mail address"}


class _NewPassword(Plain):
    labels: ClassVar = {"oldpassword": "Current password", "password1": "New password"}
    hints: ClassVar = {"password1": GOOD_ONE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]  # browsers show what was typed; twice is twice the mistakes


class NewPasswordForm(_NewPassword, account.ResetPasswordKeyForm):
    """Behind the link of a mail."""


class ChangePasswordForm(_NewPassword, account.ChangePasswordForm):
    """With the current one, counted against guessing like a sign-in."""

    def clean_oldpassword(self) -> str:
        typed: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, typed):
            raise get_adapter().validation_error("enter_current_password")
        return typed


class ConfirmForm(Plain, account.ReauthenticateForm):
    labels: ClassVar = {"password": "Your password"}


class _Code(Plain):
    labels: ClassVar = {"code": "Code"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One field, no sending by itself: what was typed can be checked, pasted and read aloud.
        attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
        self.fields["code"].widget.attrs.update(attributes)


class CodeForm(_Code, codes.AuthenticateForm):
    """A code of the authenticator app, or a recovery code; each is taken once.

    `by_app`: whether there is an app to ask for one; else there are passkeys, which come first, and recovery codes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by_app = queries.has_app(self.user.pk)
        if self.by_app:
            self.fields["code"].widget.attrs["autofocus"] = True
        else:
            self.fields["code"].label = "Recovery code"
            self.fields["code"].help_text = ""
            self.fields["code"].error_messages["required"] = "Recovery code is missing."

    def clean_code(self) -> str:
        tried = get_adapter().guess(context.request, self.user.email, what="code")
        code: str = super().clean_code()
        if not second_factor.take_step(user=self.user, code=code):
            raise codes.get_adapter().validation_error("incorrect_code")
        tried.rollback()
        return code


class ConfirmByCodeForm(CodeForm, codes.ReauthenticateForm):
    """The same, for somebody who is signed in."""

    hints: ClassVar = {"code": "From your authenticator app, or a recovery code."}


class ActivateForm(_Code, totp.ActivateTOTPForm):
    """The first code of a new authenticator app. Until then its secret waits in the session, sealed."""

    labels: ClassVar = {"code": "Code from the app"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        sealed = session.pop(SECRET_SESSION_KEY, None)
        super().__init__(*args, **kwargs)
        self.secret = decrypt(sealed) if sealed and self.is_bound else generate_totp_secret()
        session[SECRET_SESSION_KEY] = encrypt(self.secret)


class _Credential(Plain):
    """What a browser says for a passkey is JSON that anybody can write; allauth trusts its shape."""

    def full_clean(self) -> None:
        try:
            super().full_clean()
        except NOT_A_CREDENTIAL:
            self.cleaned_data.pop("credential", None)
            self.add_error("credential", codes.get_adapter().validation_error("incorrect_passkey"))


class SignInByPasskeyForm(_Credential, passkeys.LoginWebAuthnForm):
    """Instead of a password."""


class PasskeyCodeForm(_Credential, passkeys.AuthenticateWebAuthnForm):
    """After a password."""


class ConfirmByPasskeyForm(_Credential, passkeys.ReauthenticateWebAuthnForm):
    """For somebody who is signed in."""


class PasskeyForm(_Credential, passkeys.AddWebAuthnForm):
    labels: ClassVar = {"name": "Name", "passwordless": "Sign in with it alone, without a password"}
    hints: ClassVar = {
        "name": "Where it is kept, such as “Work laptop”.",
        "passwordless": "It then asks for your fingerprint, face or PIN. Otherwise it comes after the password.",
    }
    name = forms.CharField(max_length=NAME_LENGTH, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


class RenamePasskeyForm(Plain, passkeys.EditWebAuthnForm):
    name = forms.CharField(label="Name", max_length=NAME_LENGTH)
