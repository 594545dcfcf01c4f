"""Mail that was kept instead of sent."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import require_instance
from keyadmin.instance import mail
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.navigation import Crumb


@require_safe
@signed_in
def kept_mail(request: HttpRequest) -> HttpResponse:
    """The list: when, to whom, about what."""
    require_instance(actor_of(request), "setting.ctrl")
    context = {"letters": mail.kept(), "kept": settings.ENV.mail is None, "crumbs": [Crumb("Mail")]}
    return render(request, "instance/mail.html", context)


@require_safe
@signed_in
def kept_letter(request: HttpRequest, name: str) -> HttpResponse:
    """One message in full."""
    require_instance(actor_of(request), "setting.ctrl")
    letter = mail.letter(name)
    crumbs = [Crumb("Mail", reverse("instance_mail")), Crumb(letter.subject)]
    response = render(request, "instance/letter.html", {"letter": letter, "crumbs": crumbs})
    response["Cache-Control"] = "no-store, no-transform"  # it may hold a link that works once
    return response
