"""Pages that change a key and show no secret."""

import dataclasses
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from keyadmin.kernel.errors import ProblemError, StaleError
from keyadmin.keys import queries, rights, services
from keyadmin.keys.forms import ConfirmForm, EditKeyForm
from keyadmin.keys.views.common import FORM_NAMES, about, address, finished, here, matrix_of
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, announce, done, render_sheet, wants_part

Service = Callable[..., object]


@require_http_methods(["GET", "POST"])
def edit_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what can be changed of a key."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    rights.require_manage(actor, key)
    form = EditKeyForm(
        request.POST if request.method == "POST" else None, key=key, actor=actor, organization=organization
    )
    if form.is_valid():
        changes = services.KeyChanges(
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
            expires_at=form.expires_at(),
            allowed_networks=form.allowed_networks(),
        )
        if key.permissions is not None or form.cleaned_data["mode"] != "custom" or form.cleaned_data["permissions"]:
            changes["permissions"] = form.patterns()
        acting = dataclasses.replace(actor, reason=form.cleaned_data["reason"])
        try:
            services.edit_key(actor=acting, key_id=pk, changes=changes, expected_version=form.cleaned_data["version"])
        except StaleError:
            form.add_error(None, "Somebody changed this key meanwhile. Reload the page to see their changes.")
        except ProblemError as error:
            add_errors(form, error, FORM_NAMES)
        else:
            return finished(request, address("key", organization, pk), f"{form.cleaned_data['name']} was changed.")
    context = {
        **about(key, organization, "Edit"),
        "form": form,
        "readable": queries.readable(actor, organization),
        "matrix": matrix_of(actor, organization, form),
    }
    return render_sheet(request, "keys/edit.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_POST
def pause_key(request: HttpRequest, pk: int) -> HttpResponse:
    """The brake: one click."""
    return act_at_once(request, pk, services.pause_key, "{} is paused. Requests with it now get 401.")


@require_POST
def resume_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the brake off."""
    return act_at_once(request, pk, services.resume_key, "{} works again.")


@require_http_methods(["GET", "POST"])
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then stop the key for good."""
    consequences = ["All requests with this key get 401 at once.", "This cannot be undone; its record stays."]
    return confirmed(request, pk, services.revoke_key, "Revoke", consequences, "{} was revoked.")


@require_http_methods(["GET", "POST"])
def delete_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then stop the key for good and remove its record."""
    consequences = ["All requests with this key get 401 at once.", "Its record goes; activity records are kept."]
    return confirmed(request, pk, services.delete_key, "Delete", consequences, "{} was deleted.")


def act_at_once(request: HttpRequest, pk: int, service: Service, text: str) -> HttpResponse:
    """One click, no question."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    service(actor=actor, key_id=pk)
    if wants_part(request, "results"):
        return announce(done("keys-changed"), text.format(key.name))
    return finished(request, address("key", organization, pk), text.format(key.name))


def confirmed(
    request: HttpRequest, pk: int, service: Service, verb: str, consequences: list[str], text: str
) -> HttpResponse:
    """Ask first; the version on the screen must still be the current one."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    rights.require_manage(actor, key)
    form = ConfirmForm(request.POST if request.method == "POST" else None, initial={"version": key.version})
    if form.is_valid():
        acting = dataclasses.replace(actor, reason=form.cleaned_data["reason"])
        try:
            service(actor=acting, key_id=pk, expected_version=form.cleaned_data["version"])
        except ProblemError as error:
            add_errors(form, error, FORM_NAMES)
        else:
            gone = verb == "Delete"
            url = address("keys", organization) if gone else address("key", organization, pk)
            return finished(request, url, text.format(key.name))
    context = {**about(key, organization, verb), "form": form, "consequences": consequences, "verb": verb}
    return render_sheet(request, "keys/confirm.html", context, status=UNPROCESSABLE if form.errors else 200)
