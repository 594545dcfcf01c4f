"""Pages that end with a secret: a new key, and a new secret for an old one."""

import dataclasses

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.crypto import get_random_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import queries as accounts
from accounts.models import Organization, User, UserKind
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError
from keyadmin.keys import policy, presets, queries, rights, services
from keyadmin.keys.forms import NewKeyForm, RegenerateForm
from keyadmin.keys.models import NAME_LENGTH, KeyKind
from keyadmin.keys.status import Status
from keyadmin.keys.views.common import about, address, crumbs_to_user, facts_about, here, stops_elsewhere
from keyadmin.keys.views.preview import form_context
from keyadmin.keys.views.reveal import reveal_once
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, render_sheet
from keyadmin.web.identity import ask_identity
from keyadmin.web.navigation import Crumb

OF_USER_PAGE = {"kind", "owner", "mode"}  # nothing that a stranger's link could slip in unseen


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def new_key(request: HttpRequest) -> HttpResponse:
    """The form for a new key; a good POST is answered with the secret, once."""
    actor, organization = here(request)
    rights.require_create(actor, organization, None)
    keys = Crumb("API keys", address("keys", organization))
    return answered(request, NewKeyForm, actor, organization, keys)


def answered(
    request: HttpRequest, form_class: type[NewKeyForm], actor: Actor, organization: Organization, keys: Crumb
) -> HttpResponse:
    """A form for a new key; `keys` is the list that one comes from and goes back to."""
    posted = request.POST if request.method == "POST" else None
    filled, left_out = prefilled(request.GET, actor, organization)
    initial = {"nonce": get_random_string(32), **filled}
    form = form_class(posted, actor=actor, organization=organization, initial=initial)
    ask_identity(form, request, asked=form.data.get("mode") == "admin")
    preset = preset_user(form, filled)
    way = crumbs_to_user(organization, preset) if preset else [keys]
    if form.is_valid():
        typed = form.cleaned_data
        by_user = typed["kind"] == "user"
        acting = dataclasses.replace(actor, reason=typed.get("reason", ""))

        def create(minted: services.Minted) -> services.Issued:
            return services.create_key(
                actor=acting,
                name=typed["name"],
                kind=typed["kind"],
                organization=None if by_user else organization,
                owner=accounts.key_owner(actor, typed["owner"]) if by_user else None,
                description=typed["description"],
                permissions=typed["patterns"],
                expires_at=typed["expires_at"],
                environment=typed["environment"],
                allowed_networks=typed["networks"],
                rate_limit=typed["rate_limit"],
                minted=minted,
                confirmed=False,
            )

        try:
            minted = services.mint(typed["environment"])
            return reveal_once(
                request,
                actor,
                typed["nonce"],
                minted,
                create,
                organization=organization,
                keys=keys,
                back=way[-1] if preset else None,
            )
        except ProblemError as error:
            form.add_problem(error)
    context = {
        **form_context(request, form),
        "sheet_title": "Create API key",
        "from_link": bool(filled.keys() - OF_USER_PAGE) or left_out,
        "left_out": left_out,
        "of_api_user": preset,
        "crumbs": [*way, Crumb("Create API key")],
        "back": way[-1].url,
    }
    return render_sheet(request, "keys/new.html", context, status=UNPROCESSABLE if form.errors else 200)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def regenerate_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Replace the secret; a good POST is answered with the new one, once."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    rights.require_manage(actor, key)
    expired = key.status is Status.EXPIRED
    posted = request.POST if request.method == "POST" else None
    initial = {"nonce": get_random_string(32), "version": key.version}
    demands = policy.demands_on(key.organization_id, key.owner)
    form = RegenerateForm(posted, expired=expired, demands=demands, initial=initial)
    ask_identity(form, request)
    if form.is_valid():
        typed = form.cleaned_data
        acting = dataclasses.replace(actor, reason=typed["reason"])

        def regenerate(minted: services.Minted) -> services.Issued:
            return services.regenerate_key(
                actor=acting,
                key_id=pk,
                expires_at=form.new_expiry() if expired else services.UNSAID,
                expected_version=typed["version"],
                minted=minted,
                confirmed=False,
            )

        try:
            keys, minted = Crumb("API keys", address("keys", organization)), services.mint_like(key)
            return reveal_once(
                request, actor, typed["nonce"], minted, regenerate, organization=organization, keys=keys, again=True
            )
        except ProblemError as error:
            add_errors(form, error)
    context = {
        **about(key, organization, "Regenerate"),
        "form": form,
        "facts": facts_about(key, organization),
        "consequences": [
            "The old key stops at once. Whatever still uses it will be refused.",
            *stops_elsewhere(key, actor, organization),
        ],
        "verb": "Regenerate Key",
    }
    return render_sheet(request, "keys/confirm.html", context, status=UNPROCESSABLE if form.errors else 200)


def preset_user(form: NewKeyForm, filled: dict[str, object]) -> User | None:
    """The API user from whose page one came: the address names it, also when the form is sent."""
    user = form.owners.get(str(filled.get("owner", "")))
    return user if user is not None and user.kind == UserKind.API else None


def prefilled(query: QueryDict, actor: Actor, organization: Organization) -> tuple[dict[str, object], bool]:
    """What a link may fill in, and whether something was left out because the person can't give it.

    `?template=billing-sync&name=Night+job&expires=90d&perm=view_customer&perm=...`; nonsense is ignored.
    `perm` beside a template adds to it. `kind=user&owner=7` is what the page of a user links to.
    """
    held, values = actor.rights_in(organization.pk), dict[str, object]()
    chosen = presets.template(query.get("template", ""))
    known = {row.name for row in accounts.grantable_permissions()}
    extra = [name for name in query.getlist("perm") if name in known]
    wanted = [*(chosen.permissions if chosen else ()), *extra]
    if chosen is not None:
        values |= expiry_from(f"{chosen.days}d" if chosen.days else "never")
    given = [name for name in dict.fromkeys(wanted) if held.allows(name)]
    left_out = len(given) < len(set(wanted))
    if chosen is not None and not extra and not left_out:
        values |= {"mode": "template", "template": chosen.slug}
    elif given:
        values |= {"mode": "custom", "permissions": given}
    values |= expiry_from(query.get("expires", ""))
    owner = query.get("owner", "")
    if query.get("kind") == KeyKind.USER and owner in {
        str(one.pk) for one in accounts.possible_key_owners(actor, organization)
    }:
        values = {"mode": "owner", **values, "kind": KeyKind.USER, "owner": owner}
    name = query.get("name", "").strip()[:NAME_LENGTH]
    return values | ({"name": name} if name else {}), left_out


def expiry_from(text: str) -> dict[str, object]:
    """`90d`, `never` or `2027-01-31` as the fields of the form; nothing for what is none of these or has passed."""
    try:
        moment = clock.parse_expiry(text, at=clock.now())
    except ValueError:
        return {}
    if moment is None:
        return {"expiry": "never"}
    days = text.removesuffix("d")
    if days in map(str, presets.LIVES_IN_DAYS):
        return {"expiry": days}
    return {"expiry": "custom", "expiry_date": moment.date()} if len(text) <= len("2027-01-31") else {}
