"""Light, dark or as the system has it: kept in a cookie, so that the server writes it into the page without a flash."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE = "keyadmin-theme"
AUTO = "auto"
THEMES = {"light": "Light", "dark": "Dark", AUTO: "As the system"}
YEAR_SECONDS = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """`light`, `dark`, or `auto` for whatever else the cookie says."""
    chosen = request.COOKIES.get(COOKIE, AUTO)
    return chosen if chosen in THEMES else AUTO


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice and go back to the page that it was made on. The cookie holds no secret and no identity."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = HttpResponseRedirect(back, status=303)
    theme = request.POST.get("theme", AUTO)
    if theme in THEMES and theme != AUTO:
        response.set_cookie(COOKIE, theme, max_age=YEAR_SECONDS, secure=settings.HTTPS, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(COOKIE, samesite="Lax")
    return response
