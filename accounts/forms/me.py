from django import forms

from keyadmin.web.forms import KitForm


class ProfileForm(KitForm):
    """Shape only; the rules are the service's."""

    name = forms.CharField(
        label="Name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"})
    )
