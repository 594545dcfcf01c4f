"""The settings of an organisation: general, and what it demands of keys; stopping it as a whole."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, queries
from accounts.forms.common import ConfirmForm
from accounts.forms.settings import GeneralForm, KeyPolicyForm
from accounts.models import Organization
from accounts.services import organizations as services
from accounts.views.common import Sheet, acting, address, ask, here, last_change, may, may_look, sent
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError, StaleError
from keyadmin.keys import queries as keys
from keyadmin.web import words
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, finished
from keyadmin.web.navigation import Crumb

SUSPEND = "org.create"
BREACHES = {
    keys.Rule.LONGER_LIFE: ("with a longer life", ""),
    keys.Rule.NO_EXPIRY_DATE: ("without an expiry date", "expires=no"),
    keys.Rule.ADMIN: ("with all permissions", "admin=yes"),
    keys.Rule.ADMIN_FROM_ANYWHERE: ("with all permissions, from anywhere", "admin=yes&restricted=no"),
    keys.Rule.OF_A_PERSON: ("of people", ""),
}


def crumbs_to_settings(organization: Organization) -> list[Crumb]:
    return [Crumb("Settings", address("settings", organization))]


def tabs(request: HttpRequest) -> list[tuple[str, str, bool]]:
    """The parts of the settings that the person may look at: label, address, whether it is this one."""
    actor, organization = here(request)
    parts = [
        ("General", "settings", "org"),
        ("Members", "members", "user"),
        ("Key policy", "key_policy", "org"),
    ]
    found = [(label, address(route, organization)) for label, route, thing in parts if may_look(actor, thing)]
    return [(label, url, url == request.path) for label, url in found]


@require_http_methods(["GET", "POST"])
def general(request: HttpRequest) -> HttpResponse:
    """Name, contact and second factor."""
    actor, organization = here(request)
    row = queries.settings_of(actor, organization)
    initial = {name: getattr(row, name) for name in GeneralForm.base_fields}
    form = GeneralForm(sent(request), initial=initial)
    if may(actor, "org.ctrl"):
        demand = form.fields["two_factor_required"]
        demand.help_text = f"{demand.help_text} {_lacking(actor, organization)}"

    def act() -> None:
        typed = form.cleaned_data
        changes = services.OrganizationChanges(
            name=typed["name"],
            contact_email=typed["contact_email"],
            two_factor_required=typed["two_factor_required"],
        )
        services.edit_organization(actor=actor, organization=row, changes=changes, expected_version=typed["version"])

    return _page(request, row, form, act, "General", "settings")


def _lacking(actor: Actor, organization: Organization) -> str:
    """Whom the demand of a second factor would stop now."""
    count = queries.lacking_second_factor(organization)
    others = f"{words.counted(count, 'member')} {'has' if count == 1 else 'have'} none yet." if count else ""
    has_one = queries.has_second_factor(actor.user_id or 0)
    oneself = "" if has_one else "You have none yourself, so you would set it up first."
    return f"{others} {oneself}".strip() or "Every member has one."


@require_http_methods(["GET", "POST"])
def key_policy(request: HttpRequest) -> HttpResponse:
    """What the organisation demands of keys."""
    actor, organization = here(request)
    row = queries.settings_of(actor, organization)
    initial = {name: getattr(row.key_policy, name) for name in KeyPolicyForm.base_fields}
    form = KeyPolicyForm(sent(request), initial=initial)

    def act() -> None:
        typed = form.cleaned_data
        changes = services.KeyPolicyChanges(
            **{name: typed[name] for name in services.KeyPolicyChanges.__annotations__}  # type: ignore[typeddict-item]
        )
        services.edit_key_policy(actor=actor, organization=row, changes=changes, expected_version=typed["version"])

    breaches = [in_words(one) for one in keys.breaches(actor, organization)]
    return _page(request, row, form, act, "Key policy", "key_policy", {"breaches": breaches})


def in_words(breach: keys.Breach) -> dict[str, Any]:
    """Which keys break one rule, and the filters that find them in the key list, where there are such."""
    text, filters = BREACHES[breach.rule]
    if breach.rule is keys.Rule.LONGER_LIFE and breach.latest is not None:
        filters = f"expires_from={(breach.latest + timedelta(days=1)).date().isoformat()}"
    return {"number": breach.number, "words": text, "filters": filters}


def _page(
    request: HttpRequest,
    row: Organization,
    form: GeneralForm | KeyPolicyForm,
    act: Callable[[], None],
    title: str,
    route: str,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    """One part of the settings: a form for who may change it, else what it says."""
    actor, organization = here(request)
    may_manage, context = may(actor, "org.ctrl"), dict[str, Any]()
    if form.is_bound:
        access.require(actor, "org.ctrl", organization.pk)
    if form.is_valid():
        try:
            act()
            return finished(request, address(route, organization), "The settings were saved.")
        except StaleError:
            context = {"is_stale": True, "stale": last_change(request, "organization", organization.pk)}
        except ProblemError as error:
            add_errors(form, error)
    context |= more or {}
    context |= {
        "form": form,
        "row": row,
        "title": title,
        "tabs": tabs(request),
        "is_general": route == "settings",
        "may_manage": may_manage,
        "may_suspend": actor.held.instance.allows(SUSPEND),
        "crumbs": [*crumbs_to_settings(organization), Crumb(title)],
    }
    status = UNPROCESSABLE if form.errors or "is_stale" in context else 200
    return render(request, "settings/page.html", context, status=status)


@require_http_methods(["GET", "POST"])
def suspend(request: HttpRequest) -> HttpResponse:
    """Stop an organisation as a whole."""
    actor, organization = here(request)
    access.require_instance(actor, SUSPEND)
    form = ConfirmForm(sent(request), ask_name=organization.name)
    back = address("settings", organization)

    def act() -> tuple[str, str]:
        services.suspend_organization(actor=acting(request, form), organization=organization)
        return back, f"{organization.name} is suspended."

    consequences = [
        "All its keys stop working at once, and its members can't open its pages.",
        "Nothing is lost: an instance administrator can resume it.",
    ]
    sheet = Sheet(
        "Suspend",
        organization.name,
        back,
        crumbs_to_settings(organization),
        "Suspend",
        "Suspending…",
        end="?",
        danger=True,
        consequences=consequences,
    )
    return ask(request, sheet, form, act)


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Let a suspended organisation work again."""
    actor, organization = here(request)
    services.resume_organization(actor=actor, organization=organization)
    return finished(request, address("settings", organization), f"{organization.name} works again.")
