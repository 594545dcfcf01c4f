from django import forms

from accounts.forms.signin import GOOD_ONE
from keyadmin.web.forms import KitForm


class AcceptForm(KitForm):
    """What is missing of a new person. Shape only; the rules are the service's."""

    name = forms.CharField(
        label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        help_text=GOOD_ONE,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
