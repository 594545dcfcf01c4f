from django import forms

from keyadmin.web.forms import KitForm


class SetUpForm(KitForm):
    """The first administrator and organisation. Shape only; the rules are the service's."""

    organization = forms.CharField(
        label="Organisation",
        max_length=150,
        help_text="Whose keys these are, for example Acme Logistics.",
        widget=forms.TextInput(attrs={"autocomplete": "organization", "dir": "auto"}),
    )
    name = forms.CharField(
        label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"})
    )
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="You sign in with it.",
        error_messages={"invalid": "Write the e-mail address in full, such as dana@example.org."},
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        help_text="At least 12 characters; a few words in a row are easier to remember than one odd word.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
