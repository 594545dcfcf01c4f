from django import forms


class SetUpForm(forms.Form):
    """The first administrator and organisation. Shape only; the rules are the service's."""

    organization = forms.CharField(label="Organisation", max_length=150, help_text="For example: Acme Logistics.")
    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        help_text="At least 12 characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
