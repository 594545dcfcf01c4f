"""Would this key be allowed to ...? The verifier's own checks, one by one, for who looks at a key."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from keyadmin.kernel import addresses
from keyadmin.keys import queries
from keyadmin.keys.views.common import about, here
from keyadmin.verify.simulate import ask_for, simulate
from keyadmin.web.forms import KitForm
from keyadmin.web.htmx import UNPROCESSABLE, render_page

ENVIRONMENTS = (("", "Either"), ("live", "Live"), ("test", "Test"))


class SimulateForm(KitForm):
    """What is asked about a key."""

    permission = forms.ChoiceField(label="Do what", required=False)
    address = forms.CharField(label="From address (optional)", max_length=100, required=False)
    environment = forms.ChoiceField(label="For which environment", choices=ENVIRONMENTS, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="simulate_%s", **kwargs)
        groups: dict[str, list[tuple[str, str]]] = {}
        for row in accounts.grantable_permissions():
            groups.setdefault(row.resource or "Other", []).append((row.name, row.label))
        choices = [("", "Nothing in particular"), *groups.items()]
        self.fields["permission"] = forms.ChoiceField(label="Do what", choices=choices, required=False)
        self.fields["address"].widget.attrs["placeholder"] = "203.0.113.7"

    def clean_address(self) -> str:
        typed = self.cleaned_data["address"]
        address = addresses.parse_address(typed) if typed else ""
        if address is None:
            raise forms.ValidationError("This is not an IP address.")
        return address


@require_safe
def simulate_key(request: HttpRequest, pk: int) -> HttpResponse:
    """The question and, once it is asked, the list of checks; of the latter alone for the page of the key."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    form = SimulateForm(request.GET if request.GET else None)
    asked = ask_for(organization.pk, **form.cleaned_data) if form.is_valid() else None
    context = {
        **about(key, organization, "Try"),
        "simulate_form": form,
        "form": form,
        "found": simulate(key, asked) if asked else None,
    }
    status = UNPROCESSABLE if form.errors else 200
    return render_page(request, "keys/simulate.html", "keys/_simulation.html", context, status=status)
