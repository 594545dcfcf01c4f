"""The people of an organisation: who they are, inviting more, taking somebody out."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access, listings, mail, queries
from accounts.filters import PersonFilter
from accounts.forms.common import ConfirmForm
from accounts.forms.settings import InviteForm
from accounts.services import invitations, organizations
from accounts.tables import PersonTable
from accounts.views.common import Sheet, acting, address, ask, here, may, may_look, sent
from accounts.views.settings import tabs
from accounts.views.users import PERSON, crumbs_to, member
from accounts.words import summary
from keyadmin.kernel import clock
from keyadmin.kernel.errors import NotFoundError, ProblemError
from keyadmin.keys import queries as keys
from keyadmin.web import words
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE, finished, render_sheet, secret
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.navigation import Crumb

NOUN = Noun("person", "people")


@require_safe
def member_list(request: HttpRequest) -> HttpResponse:
    """The people of the organisation, and open invitations."""
    actor, organization = here(request)
    may_manage = may(actor, "user.ctrl")
    rows = listings.members(actor, PERSON.kind)
    rows = queries.with_second_factor(rows) if may_manage else rows
    filters = PersonFilter(
        request.GET, rows, factors=may_manage, organization=organization, groups=may_look(actor, "group")
    )
    context = {
        "heading": PERSON.plural,
        "may_manage": may_manage,
        "behind": "group can factor" if may_manage else "group can",
        "tabs": tabs(request),
        "invitations": queries.open_invitations(actor).filter(organization=organization),
        "now": clock.now(),
        "unused": "settings/_no_members.html",
        "crumbs": [Crumb(PERSON.plural)],
    }
    return render_list(
        request,
        filters,
        PersonTable,
        noun=NOUN,
        template="settings/members.html",
        default_sort="name",
        context=context,
        exclude=() if may_manage else ("factor",),
    )


@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody: by mail, or where no server is set, by a link that the answer shows once."""
    actor, organization = here(request)
    access.require(actor, "user.ctrl", organization.pk)
    offered, catalogue = listings.givable_groups(actor, organization), queries.grantable_permissions()
    form = InviteForm(sent(request))
    form.offer("groups", ((str(row.pk), row.name, summary(catalogue, access.patterns_of(row))) for row in offered))
    back = address("members", organization)
    crumbs = crumbs_to(PERSON, organization)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            groups = queries.chosen_groups(actor, organization, typed["groups"])
            made, token = invitations.invite(
                actor=actor, organization=organization, email=typed["email"], groups=groups
            )
        except ProblemError as error:
            add_errors(form, error)
        else:
            link = link_of(request, token)
            if mail.deliver(made, link):
                return finished(request, back, f"The invitation was sent to {made.email}.")
            context = {
                "invitation": made,
                "link": link,
                "back": back,
                "sheet_title": "Copy the link",
                "crumbs": [*crumbs, Crumb("Copy the link")],
                "no_close": True,
            }
            return secret(render_sheet(request, "settings/invited.html", context))
    lead = "They get a link that works once, within seven days."
    button = ("Send the invitation", "Sending…") if settings.ENV.mail else ("Make the link", "Making the link…")
    sheet = Sheet("Invite somebody", "", back, crumbs, *button, lead=lead)
    context = {"sheet": sheet, "sheet_title": sheet.verb, "crumbs": [*crumbs, Crumb(sheet.verb)], "form": form}
    return render_sheet(request, sheet.template, context, status=UNPROCESSABLE if form.errors else 200)


def link_of(request: HttpRequest, token: str) -> str:
    """Where an invitation is accepted."""
    base = settings.ENV.public_url or f"{request.scheme}://{request.get_host()}"
    return f"{base}{reverse('invitation', args=[token])}"


@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the link of an invitation worthless."""
    actor, organization = here(request)
    access.require(actor, "user.ctrl", organization.pk)
    found = queries.open_invitations(actor).filter(organization=organization, pk=pk if pk < 2**63 else 0).first()
    if found is None:
        raise NotFoundError("There is no such invitation.")
    form = ConfirmForm(sent(request))
    back = address("members", organization)

    def act() -> tuple[str, str]:
        invitations.withdraw(actor=acting(request, form), organization=organization, invitation_id=pk)
        return back, f"The invitation of {found.email} was withdrawn."

    sheet = Sheet(
        "Withdraw invitation",
        "",
        back,
        crumbs_to(PERSON, organization),
        "Withdraw",
        "Withdrawing…",
        danger=True,
        facts=[("For", found.email)],
        consequences=["The link stops working. You can invite the address again."],
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def remove_member(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a person out of the organisation, after what that stops."""
    actor, organization, user = member(request, PERSON, pk)
    access.require(actor, "user.ctrl", organization.pk)
    working, _ = keys.counts_by_owner([pk]).get(pk, (0, 0))
    form = ConfirmForm(sent(request), ask_name=user.name if working else "")

    def act() -> tuple[str, str]:
        organizations.remove_membership(actor=acting(request, form), organization=organization, user=user)
        return address("members", organization), f"{user.name} is no longer in {organization.name}."

    itself = f"{'it stops' if working == 1 else 'they stop'} reaching {organization.name} at once"
    held = f"They have {words.counted(working, 'key')} of their own: {itself}." if working else ""
    leaves = f"They lose all rights in {organization.name}; their account stays, and so do keys that they made for it."
    sheet = Sheet(
        "Remove",
        user.name,
        address("member", organization, pk),
        crumbs_to(PERSON, organization, user),
        "Remove",
        "Removing…",
        end=f" from {organization.name}?",
        danger=True,
        consequences=[one for one in (held, leaves) if one],
    )
    return ask(request, sheet, form, act)
