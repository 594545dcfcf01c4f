"""Pages that end with a secret: a new key, and a new secret for an old one."""

import dataclasses

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import queries as accounts
from keyadmin.kernel.errors import ProblemError
from keyadmin.keys import presets, queries, rights, services
from keyadmin.keys.forms import NewKeyForm, RegenerateForm
from keyadmin.keys.status import Status
from keyadmin.keys.views.common import FORM_NAMES, about, address, here, matrix_of, reveal_once
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, go_to, render_sheet
from keyadmin.web.navigation import Crumb


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def new_key(request: HttpRequest) -> HttpResponse:
    """The form for a new key; a good POST is answered with the secret, once."""
    actor, organization = here(request)
    rights.require_create(actor, organization, None)
    if any(queries.is_whole_key(value) for value in request.GET.dict().values()):
        return go_to(request, request.path)  # without the key, which must not stay in the address
    posted = request.POST if request.method == "POST" else None
    form = NewKeyForm(posted, actor=actor, organization=organization, initial=prefilled(request))
    if form.is_valid():
        typed = form.cleaned_data
        by_user = typed["kind"] == "user"

        def create(minted: services.Minted) -> services.Issued:
            return services.create_key(
                actor=actor,
                name=typed["name"],
                kind=typed["kind"],
                organization=None if by_user else organization,
                owner=accounts.key_owner(actor, typed["owner"]) if by_user else None,
                description=typed["description"],
                permissions=form.patterns(),
                expires_at=form.expires_at(),
                environment=typed["environment"],
                allowed_networks=form.allowed_networks(),
                minted=minted,
                confirmed=False,
            )

        try:
            return reveal_once(request, actor, typed["nonce"], services.mint(typed["environment"]), create)
        except ProblemError as error:
            add_errors(form, error, FORM_NAMES)
    context = {
        "form": form,
        "sheet_title": "Create API key",
        "readable": queries.readable(actor, organization),
        "matrix": matrix_of(actor, organization, form),
        "crumbs": [Crumb("API keys", address("keys", organization)), Crumb("Create API key")],
        "back": address("keys", organization),
    }
    return render_sheet(request, "keys/new.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_http_methods(["GET", "POST"])
def regenerate_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Replace the secret; a good POST is answered with the new one, once."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    rights.require_manage(actor, key)
    expired = key.status is Status.EXPIRED
    posted = request.POST if request.method == "POST" else None
    initial = {"nonce": get_random_string(32), "version": key.version}
    form = RegenerateForm(posted, expired=expired, initial=initial)
    if form.is_valid():
        typed = form.cleaned_data
        acting = dataclasses.replace(actor, reason=typed["reason"])

        def regenerate(minted: services.Minted) -> services.Issued:
            return services.regenerate_key(
                actor=acting,
                key_id=pk,
                expires_at=form.new_expiry() if expired else services.KEEP,
                expected_version=typed["version"],
                minted=minted,
                confirmed=False,
            )

        try:
            return reveal_once(request, actor, typed["nonce"], services.mint_like(key), regenerate, again=True)
        except ProblemError as error:
            add_errors(form, error, FORM_NAMES)
    context = {
        **about(key, organization, "Regenerate"),
        "form": form,
        "consequences": ["The old key stops at once. Whatever still uses it will be refused."],
        "verb": "Regenerate Key",
    }
    return render_sheet(request, "keys/confirm.html", context, status=UNPROCESSABLE if form.errors else 200)


def prefilled(request: HttpRequest) -> dict[str, object]:
    """What a link may fill in (`?template=billing-sync&name=...`), and the nonce of this form."""
    values: dict[str, object] = {"nonce": get_random_string(32)}
    chosen = presets.template(request.GET.get("template", ""))
    if chosen is not None:
        values |= {"mode": "template", "template": chosen.slug, "expiry": str(chosen.days or "never")}
    name = request.GET.get("name", "")[:80]
    return values | ({"name": name} if name else {})
