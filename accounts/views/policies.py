"""Policies: named lists of permissions, their editor with what it would do, and their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access, listings, queries
from accounts.filters import PolicyFilter
from accounts.forms.common import ConfirmForm
from accounts.forms.policies import RULES, SOURCE, PolicyForm, source_of, typed_patterns
from accounts.forms.users import GroupsForm
from accounts.models import Organization, Permission, Policy, PolicyVersion
from accounts.services import groups as group_services
from accounts.services import policies as services
from accounts.tables import PolicyTable
from accounts.views.common import (
    ROLE,
    Sheet,
    acting,
    address,
    ask,
    here,
    impact_of,
    last_change,
    may,
    may_look,
    sent,
)
from accounts.views.story import Change, change_of
from accounts.words import listed, powers, summary
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError, StaleError
from keyadmin.kernel.patterns import Rights
from keyadmin.keys import queries as keys
from keyadmin.keys.models import APIKey
from keyadmin.verify import preview
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, finished, trigger, wants_part
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.navigation import Crumb

NOUN = Noun("policy", "policies")
SHOWN_SUBJECTS = 100
FIELDS = ("name", "description", "patterns")


def crumbs_to(organization: Organization, policy: Policy | None = None) -> list[Crumb]:
    found = [Crumb("Policies", address("policies", organization))]
    return found if policy is None else [*found, Crumb(policy.name, address("policy", organization, policy.pk))]


def managed(request: HttpRequest, pk: int) -> tuple[Actor, Organization, Policy]:
    """Who asks, where, and about which policy they may change. Raises NotFoundError, DeniedError."""
    actor, organization = here(request)
    policy = queries.visible_policy(actor, pk)
    access.require(actor, "policy.ctrl", organization.pk)
    return actor, organization, policy


@require_safe
def policy_list(request: HttpRequest) -> HttpResponse:
    """The policies of the organisation."""
    actor, _ = here(request)
    context = {
        "heading": "Policies",
        "may_create": may(actor, "policy.ctrl"),
        "read_only": "" if may(actor, "policy.ctrl") else ROLE.format("policies", "them"),
        "crumbs": [Crumb("Policies")],
        "unused": "policies/_unused.html",
    }
    return render_list(
        request,
        PolicyFilter(request.GET, listings.policies(actor)),
        PolicyTable,
        noun=NOUN,
        template="policies/list.html",
        default_sort="name",
        context=context,
        catalogue=queries.grantable_permissions(),
    )


@dataclass(frozen=True)
class Saved:
    """One saved state of a policy, with what it changed."""

    version: PolicyVersion
    changes: list[Change]
    current: bool


@require_safe
def policy_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What a policy gives, who has it, and what it was."""
    actor, organization = here(request)
    policy = queries.visible_policy(actor, pk)
    groups, versions = list(policy.groups.order_by("name", "pk")), listings.versions(policy)
    context = {
        "policy": policy,
        "groups": groups,
        "may_manage": may(actor, "policy.ctrl"),
        "may_give": bool(listings.groups_without(actor, policy)),
        "sees_groups": may_look(actor, "group"),
        "powers": powers(queries.grantable_permissions(), policy.patterns),
        "history": history(versions, policy.version),
        "compared": compared(versions, request.GET),
        "crumbs": [*crumbs_to(organization), Crumb(policy.name)],
    }
    return render(request, "policies/policy.html", context)


def history(versions: Sequence[PolicyVersion], current: int) -> list[Saved]:
    """The versions, newest first, each with its difference to the one before."""
    labels = labels_of_permissions()
    return [
        Saved(version, differences(before, version, labels) if before else [], version.version == current)
        for version, before in zip(versions, [*versions[1:], None], strict=True)
    ]


def labels_of_permissions() -> dict[str, str]:
    return {row.name: row.label for row in queries.permissions()}


def differences(before: PolicyVersion, after: PolicyVersion, labels: dict[str, str]) -> list[Change]:
    """What is not the same in two versions."""
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in FIELDS]
    return [change_of(name, old, new, labels) for name, old, new in pairs if old != new]


@dataclass(frozen=True)
class Compared:
    """Two versions side by side; `changes` lead from the first to the second, and are None before one asks."""

    a: int
    b: int
    changes: list[Change] | None


def compared(versions: Sequence[PolicyVersion], asked: QueryDict) -> Compared | None:
    """The versions that `?a=1&b=3` names, else the first and the newest; None where there is one alone."""
    known = {str(one.version): one for one in versions}
    a, b = known.get(asked.get("a", "")), known.get(asked.get("b", ""))
    if a and b:
        return Compared(a.version, b.version, differences(a, b, labels_of_permissions()))
    return Compared(versions[-1].version, versions[0].version, None) if len(versions) > 1 else None


@require_http_methods(["GET", "POST"])
def new_policy(request: HttpRequest) -> HttpResponse:
    """Make a policy."""
    actor, organization = here(request)
    access.require(actor, "policy.ctrl", organization.pk)
    return edited(request, organization, None, {})


@require_http_methods(["GET", "POST"])
def edit_policy(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a policy, seeing what that does; `?version=3` begins with what it was once."""
    _actor, organization, policy = managed(request, pk)
    number = request.GET.get("version", "")
    old = listings.version(policy, int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
    shown = old or policy
    initial = {name: getattr(shown, name) for name in FIELDS} | {"version": policy.version}
    return edited(request, organization, policy, initial, old)


def edited(
    request: HttpRequest,
    organization: Organization,
    policy: Policy | None,
    initial: dict[str, Any],
    old: PolicyVersion | None = None,
) -> HttpResponse:
    """The editor: its small steps (a row more, a row less, the other view), and saving."""
    actor, context = here(request)[0], dict[str, Any]()
    form = PolicyForm(sent(request), initial={"patterns": [], **initial})
    step = request.POST.get("do", "")
    if step:
        form = stepped(form, step)
        if wants_part(request, "rules"):
            return trigger(render(request, "policies/_rules.html", {"form": form, **known()}), "rules-changed")
    elif form.is_valid():
        try:
            impact = impact_of(preview.of_policy(actor, policy, form.cleaned_data["wanted"]), actor) if policy else None
            if impact is not None and impact.touched and not form.cleaned_data["reason"].strip():
                form.add_error("reason", f"This touches {impact.touched}: say why.")
            else:
                return saved(request, organization, policy, form)
        except StaleError:
            context = {"is_stale": True, "stale": last_change(request, "policy", policy.pk) if policy else None}
        except ProblemError as error:
            add_errors(form, error, {"patterns": "source" if form.by_source else "patterns"})
    wrong = bool(form.is_bound and form.errors) or bool(context)
    back = address("policy", organization, policy.pk) if policy else address("policies", organization)
    title = "Create policy"
    if policy:
        title = f"Restore version {old.version} of {policy.name}" if old else f"Edit {policy.name}"
    context |= {
        "form": form,
        "policy": policy,
        "old": old,
        "title": title,
        "back": back,
        "subjects": subjects_of(actor, policy) if policy else [],
        "preview_url": address("policy_preview", organization, policy.pk)
        if policy
        else address("policy_new_preview", organization),
        "crumbs": [*crumbs_to(organization, policy), Crumb("Edit" if policy and not old else title)],
        **known(),
        **foreseen(actor, organization, policy, form),
    }
    return render(request, "policies/edit.html", context, status=UNPROCESSABLE if wrong else 200)


def saved(request: HttpRequest, organization: Organization, policy: Policy | None, form: PolicyForm) -> HttpResponse:
    """Carry out what the form says."""
    typed, actor = form.cleaned_data, acting(request, form)
    name, description, patterns = typed["name"], typed["description"], typed["wanted"]
    if policy is None:
        made = services.create_policy(
            actor=actor, organization=organization, name=name, description=description, patterns=patterns
        )
        return finished(request, address("policy", organization, made.pk), f"Policy {made.name} was created.")
    changes = services.PolicyChanges(name=name, description=description, patterns=patterns)
    row = services.edit_policy(actor=actor, policy=policy, changes=changes, expected_version=typed["version"])
    text = (
        f"{row.name} was changed: version {row.version}." if row.version != policy.version else "Nothing was changed."
    )
    return finished(request, address("policy", organization, policy.pk), text)


def stepped(form: PolicyForm, step: str) -> PolicyForm:
    """The form after a small step; nothing is checked yet but the JSON that is to become rows."""
    rows = list(form.rows)
    act, _, number = step.partition("-")
    values = {name: form[name].value() for name in form.fields}
    if act == "add":
        rows.append("")
    elif act == "remove" and number.isdigit() and len(number) < 5 and 0 < int(number) <= len(rows):
        del rows[int(number) - 1]
    elif act == SOURCE and not form.by_source:
        return PolicyForm(initial={**values, "view": SOURCE, "source": source_of(typed_patterns(form))})
    elif act == RULES and form.by_source:
        form.is_valid()
        if "source" in form.errors and not typed_patterns(form):
            return form
        return PolicyForm(initial={**values, "view": RULES, "patterns": typed_patterns(form)})
    return PolicyForm(initial={**values, "patterns": rows})


def known() -> dict[str, Any]:
    """What can be named in a rule: everything, prefixes, and the names of the catalogue."""
    rows = queries.grantable_permissions()
    prefixes = {f"{row.name.rpartition('.')[0]}.*": f"All of {row.resource}" for row in rows if "." in row.name}
    found = [("*", "Everything"), *sorted(prefixes.items()), *sorted((row.name, row.label) for row in rows)]
    return {"known": found}


# --- what a change would do -------------------------------------------------------------------------------------


@require_POST
def preview_new(request: HttpRequest) -> HttpResponse:
    """What a new policy would give, for what stands in the form now."""
    actor, organization = here(request)
    access.require(actor, "policy.ctrl", organization.pk)
    context = foreseen(actor, organization, None, PolicyForm(request.POST))
    return render(request, "policies/_preview.html", context)


@require_POST
def preview_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What the policy would do to users and keys, for what stands in the form now."""
    actor, organization, policy = managed(request, pk)
    form = PolicyForm(request.POST, initial={"patterns": policy.patterns})
    return render(request, "policies/_preview.html", foreseen(actor, organization, policy, form))


@dataclass(frozen=True)
class Standing:
    """One permission of a chosen user or key: whether it is there now, and after the change."""

    label: str
    name: str
    now: bool
    after: bool


def foreseen(actor: Actor, organization: Organization, policy: Policy | None, form: PolicyForm) -> dict[str, Any]:
    """The context of policies/_preview.html."""
    wanted, problems = form.read()
    said: dict[str, Any] = {"policy": policy, "problems": problems, "unreadable": wanted is None}
    if wanted is None:
        return said
    catalogue = queries.grantable_permissions()
    said["given"] = powers(catalogue, wanted)
    if policy is None:
        return said
    try:
        found = preview.of_policy(actor, policy, wanted)
    except ProblemError as error:
        return {**said, "problems": [*problems, error.detail], "unreadable": True}
    said["impact"] = impact_of(found, actor)
    chosen = form.data.get("subject", "") if form.is_bound else ""
    said |= {"chosen": chosen, "standings": standings(actor, organization, policy, found, chosen, catalogue)}
    return said


def standings(
    actor: Actor,
    organization: Organization,
    policy: Policy,
    found: preview.Preview,
    chosen: str,
    catalogue: list[Permission],
) -> list[Standing]:
    """What one user or key may do now and after the change; nothing while none is chosen."""
    if chosen not in {value for value, _ in subjects_of(actor, policy)}:
        return []
    kind, _, number = chosen.partition("-")
    pk = int(number)
    shift = next((one for one in found.users if kind == "user" and one.user.pk == pk), None) or next(
        (one for one in found.keys if kind == "key" and one.key is not None and one.key.pk == pk), None
    )
    now = shift.before if shift else unchanged(actor, organization, kind, pk)
    after = shift.after if shift else now
    return [
        Standing(row.label, row.name, now.allows(row.name), after.allows(row.name))
        for row in catalogue
        if now.allows(row.name) or after.allows(row.name)
    ]


def unchanged(actor: Actor, organization: Organization, kind: str, pk: int) -> Rights:
    """What a user or key may do at this moment."""
    if kind == "key":
        return Rights(frozenset(keys.effective(keys.visible_key(actor, pk), organization)))
    return access.held_by(queries.visible_member(actor, pk).user).rights_in(organization.pk)


def subjects_of(actor: Actor, policy: Policy) -> list[tuple[str, str]]:
    """Whom the preview can show: users that have the policy, and their keys, as far as the person may see them."""
    if not may_look(actor, "user"):
        return []
    users = list(listings.users_with_policy(policy)[:SHOWN_SUBJECTS])
    found: list[APIKey] = list(keys.of_owners(actor, [user.pk for user in users])[:SHOWN_SUBJECTS])
    of_users = [(f"user-{user.pk}", f"{user.name}{' (API user)' if user.kind == 'api' else ''}") for user in users]
    return of_users + [(f"key-{key.pk}", f"Key {key.name} of {key.owner}") for key in found]


@require_http_methods(["GET", "POST"])
def delete_policy(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a policy that no group has."""
    _actor, organization, policy = managed(request, pk)
    form = ConfirmForm(sent(request))

    def act() -> tuple[str, str]:
        services.delete_policy(actor=acting(request, form), policy=policy)
        return address("policies", organization), f"Policy {policy.name} was deleted."

    sheet = Sheet(
        "Delete",
        policy.name,
        address("policy", organization, pk),
        crumbs_to(organization, policy),
        "Delete",
        "Deleting…",
        end="?",
        danger=True,
        consequences=["The policy goes for good, with its versions; activity records are kept."],
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def give_policy(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a policy to groups that do not have it, each shown with what it gives now."""
    actor, organization = here(request)
    policy = queries.visible_policy(actor, pk)
    access.require(actor, "group.ctrl", organization.pk)
    catalogue = queries.grantable_permissions()
    form = GroupsForm(sent(request))
    form.offer(
        "groups",
        (
            (str(row.pk), row.name, f"Now: {summary(catalogue, access.patterns_of(row))}")
            for row in listings.groups_without(actor, policy)
        ),
    )
    back = address("policy", organization, pk)

    def act() -> tuple[str, str]:
        chosen = queries.chosen_groups(actor, organization, form.cleaned_data["groups"])
        group_services.give_policy(actor=actor, policy=policy, groups=chosen)
        verb = "has" if len(chosen) == 1 else "have"
        return back, f"{listed([group.name for group in chosen])} now {verb} {policy.name}."

    facts = [("Policy", policy.name), ("Gives", summary(catalogue, policy.patterns))]
    sheet = Sheet("Give to groups", "", back, crumbs_to(organization, policy), "Give", "Giving…", facts=facts)
    return ask(request, sheet, form, act)
