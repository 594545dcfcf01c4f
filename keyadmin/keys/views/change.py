"""Pages that change a key and show no secret."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.activity import queries as activity
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError, StaleError
from keyadmin.keys import differences, policy, queries, rights, services
from keyadmin.keys.forms import BlockForm, EditKeyForm, StopForm, stand_on
from keyadmin.keys.models import APIKey
from keyadmin.keys.places import elsewhere
from keyadmin.keys.status import WORKING, Status
from keyadmin.keys.views.common import about, address, facts_about, finished, here, stops_elsewhere
from keyadmin.keys.views.preview import changes_of, form_context
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, announce, done, render_sheet, tell, wants_part
from keyadmin.web.identity import ask_identity

Service = Callable[..., object]
SHOWN_EVENTS = 20


@require_http_methods(["GET", "POST"])
def edit_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what can be changed of a key."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    rights.require_manage(actor, key)
    posted = request.POST if request.method == "POST" else None
    form = EditKeyForm(posted, key=key, actor=actor, organization=organization)
    context: dict[str, Any] = {}
    valid = form.is_valid()
    version: int = form.cleaned_data.get("version", 0) if posted else 0
    if version not in (0, key.version):  # what was typed need not even fit the key any more
        context["stale"] = since(version, key, actor, organization)
        stand_on(form, key.version)
    elif valid:
        acting = dataclasses.replace(actor, reason=form.cleaned_data["reason"])
        try:
            changes = changes_of(form)
            services.edit_key(actor=acting, key_id=pk, changes=form.changes(), expected_version=version)
        except StaleError:
            context["stale"] = since(version, key, actor, organization)
        except ProblemError as error:
            form.add_problem(error)
        else:
            said = differences.sentence(changes)
            text = f"{form.cleaned_data['name']} was changed. {said}" if changes else "Nothing was changed."
            return finished(request, address("key", organization, pk), text)
    status = UNPROCESSABLE if form.errors or context else 200
    context |= {**about(key, organization, "Edit"), **form_context(request, form)}
    return render_sheet(request, "keys/edit.html", context, status=status)


@require_POST
def pause_key(request: HttpRequest, pk: int) -> HttpResponse:
    """The brake: one click."""
    return act_at_once(request, pk, services.pause_key, "{} is paused. Requests with it now get 401.")


@require_POST
def resume_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the brake off."""
    return act_at_once(request, pk, services.resume_key, "{} works again.")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then stop the key for good."""
    stays = "This cannot be undone. The record of the key stays, under Revoked."
    return confirmed(request, pk, services.revoke_key, "Revoke", stays, "{} was revoked.")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def delete_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then stop the key for good and remove its record."""
    goes = "This cannot be undone. The record of the key goes; activity records are kept."
    return confirmed(request, pk, services.delete_key, "Delete", goes, "{} was deleted.")


@require_http_methods(["GET", "POST"])
def block_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then refuse a person's key in this organisation."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    rights.require_block(actor, key, organization)
    form = BlockForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        acting = dataclasses.replace(actor, reason=form.cleaned_data["reason"])
        services.block_key(actor=acting, key_id=pk, organization=organization)
        text = f"{key.name} is blocked in {organization.name}. Requests with it now get 403 here."
        return finished(request, address("key", organization, pk), text)
    owner, where = key.owner.name if key.owner else "", elsewhere(key, actor, organization)
    context = {
        **about(key, organization, "Block"),
        "form": form,
        "verb": "Block",
        "where": organization.name,
        "facts": facts_about(key, organization),
        "consequences": [
            f"Requests with this key get 403 in {organization.name} at once.",
            *([f"It still works {where}."] if where else []),
            f"{owner} sees that it is blocked here.",
            "You can unblock it later if you have all the permissions that it gives here.",
        ],
    }
    return render_sheet(request, "keys/confirm.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_POST
def unblock_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it work here again."""
    service = functools.partial(services.unblock_key, organization=here(request)[1])
    return act_at_once(request, pk, service, "{} works here again.")


def act_at_once(request: HttpRequest, pk: int, service: Service, text: str) -> HttpResponse:
    """One click, no question."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    service(actor=actor, key_id=pk)
    if wants_part(request, "results"):
        return tell(announce(done("keys-changed"), text.format(key.name)), text.format(key.name))
    return finished(request, address("key", organization, pk), text.format(key.name))


def confirmed(request: HttpRequest, pk: int, service: Service, verb: str, finality: str, text: str) -> HttpResponse:
    """Ask first; the version on the screen must still be the current one."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    rights.require_manage(actor, key)
    posted = request.POST if request.method == "POST" else None
    ask_name, demands = asks_for_name(key, organization, verb), policy.demands_on(key.organization_id, key.owner)
    form = StopForm(posted, demands=demands, ask_name=key.name if ask_name else "", initial={"version": key.version})
    if ask_name:
        ask_identity(form, request)
    context: dict[str, Any] = {}
    if form.is_valid():
        acting = dataclasses.replace(actor, reason=form.reason)
        version = form.cleaned_data["version"]
        try:
            service(actor=acting, key_id=pk, expected_version=version)
        except StaleError:
            context["stale"] = since(version, key, actor, organization)
            stand_on(form, key.version)
        except ProblemError as error:
            add_errors(form, error, {"reason": "details"})
        else:
            gone = verb == "Delete"
            url = address("keys", organization) if gone else address("key", organization, pk)
            return finished(request, url, text.format(key.name))
    status = UNPROCESSABLE if form.errors or context else 200
    works = key.status in WORKING
    stops = ["All requests with this key get 401 at once."] if works else []
    context |= {
        **about(key, organization, verb),
        "form": form,
        "verb": verb,
        "facts": facts_about(key, organization),
        "consequences": [*stops, *stops_elsewhere(key, actor, organization), finality],
        "pause_url": address("key_pause", organization, pk) if works and verb == "Revoke" else "",
    }
    return render_sheet(request, "keys/confirm.html", context, status=status)


def asks_for_name(key: APIKey, organization: Organization, verb: str) -> bool:
    """Whether the name of the key must be typed: where most would stop working, and where the record goes with it."""
    if key.status is Status.REVOKED:
        return False
    return "*" in queries.effective(key, organization) or (verb == "Delete" and key.status in WORKING)


def since(version: int, key: APIKey, actor: Actor, organization: Organization) -> dict[str, Any]:
    """Who changed the key since that version of it, and what: each version is one entry of the log about it."""
    number = queries.visible_key(actor, key.pk).version - version
    labels = {row.name: row.label for row in accounts.permissions()}
    events = activity.about("api_key", key.pk, organization.pk, min(max(number, 0), SHOWN_EVENTS))
    by_me = bool(events) and (events[0].actor_kind, events[0].actor_id) == (actor.kind, actor.id)
    return {"entries": [differences.entry_of(event, labels) for event in events], "by_me": by_me}
