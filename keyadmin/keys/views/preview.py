"""What a form about a key says while it is filled in: what the key will be able to do, until when, what changes."""

import itertools
from dataclasses import dataclass, field
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import access
from accounts import queries as accounts
from keyadmin.kernel.errors import InvalidError
from keyadmin.keys import differences, flairs, picker, queries, rights, services
from keyadmin.keys.differences import Change
from keyadmin.keys.forms import EditKeyForm, KeyForm, NewKeyForm
from keyadmin.keys.models import APIKey
from keyadmin.keys.places import Place, places
from keyadmin.keys.views.common import here
from keyadmin.web.auth import KeyadminRequest


@dataclass(frozen=True)
class Effective:
    """What a key would be able to do, in each organisation that it is for; `idle` was chosen and gives nothing.

    `powerless`: it belongs to an API user without any rights yet.
    """

    key: APIKey
    places: list[tuple[Place, picker.Words]]
    idle: list[str] = field(default_factory=list)
    powerless: bool = False


@sensitive_post_parameters()
@require_POST
def preview_new(request: HttpRequest) -> HttpResponse:
    """The box of the form for a new key, for what stands in the form now."""
    actor, organization = here(request)
    rights.require_create(actor, organization, None)
    form = NewKeyForm(request.POST, actor=actor, organization=organization)
    return render(request, "keys/_preview.html", said_of(form))


@sensitive_post_parameters()
@require_POST
def preview_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for the form that edits a key, with what would change."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    rights.require_manage(actor, key)
    form = EditKeyForm(request.POST, key=key, actor=actor, organization=organization)
    return render(request, "keys/_preview.html", said_of(form))


def form_context(request: HttpRequest, form: KeyForm) -> dict[str, Any]:
    """All that templates/keys/_fields.html shows beside the fields themselves."""
    chosen = form["permissions"].value() or ()
    return {
        "form": form,
        "readable": queries.readable(form.held),
        "matrix": picker.matrix(accounts.grantable_permissions(), form.held, form.kept, chosen),
        "admin_keys": queries.number_of_admin_keys(form.actor, form.organization),
        "client_address": cast(KeyadminRequest, request).client_address,
        "preview_url": f"{request.path}preview/",
        **said_of(form),
    }


def said_of(form: KeyForm) -> dict[str, Any]:
    """The context of templates/keys/_preview.html: for a form as it was sent, or as it opens."""
    if not form.is_bound:
        form = opened(form)
    form.is_valid()
    typed = form.cleaned_data
    said: dict[str, Any] = {
        "effective": effective_of(form),
        "home": form.organization,
        "now": form.now,
        "never_expires": typed.get("expires_at", form.now) is None,
        "expires_at": typed.get("expires_at"),
        "edited": isinstance(form, EditKeyForm),
        "namesake": False,
        "flairs": [],
    }
    if name := typed.get("name"):
        besides = form.key.pk if isinstance(form, EditKeyForm) else 0
        said["namesake"] = queries.has_namesake(form.actor, name, besides)
        said["flairs"] = [(flair, flairs.PURPOSES.get(flair, "")) for flair in flairs.flairs_of(name)]
    if isinstance(form, EditKeyForm):
        try:
            said["changes"] = changes_of(form)
        except InvalidError as error:
            said["problem"] = error.detail
    return said


def opened(form: KeyForm) -> KeyForm:
    """The form as if it were sent as it opens."""
    data = {name: bound.value() for name in form.fields if (bound := form[name]).value() is not None}
    return form.sent(data)


def effective_of(form: KeyForm) -> Effective | None:
    """By the function that verification's rights come from; None while the form does not say enough."""
    key = form.proposed()
    if key is None:
        return None
    rows, found = accounts.grantable_permissions(), places(key) or [Place(form.organization, "")]
    given = queries.effective_in(key, [place.organization for place in found])
    idle = picker.idle(key.permissions or (), itertools.chain(*given)) if key.owner else []
    labels = {row.name: row.label for row in rows}
    said = [(place, picker.in_words(rows, names)) for place, names in zip(found, given, strict=True)]
    service = key.owner if key.owner is not None and key.owner.kind == "api" else None
    powerless = service is not None and not access.held_by(service).rights_in(form.organization.pk).patterns
    return Effective(key, said, [labels.get(name, name) for name in idle], powerless)


def changes_of(form: EditKeyForm) -> list[Change]:
    """What saving would change, as the service has it. Raises InvalidError for what the service would refuse."""
    before, after = services.foresee_edit(form.key, form.changes())
    return differences.changes_between(before, after, {row.name: row.label for row in accounts.permissions()})
