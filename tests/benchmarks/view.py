"""One Django view, behind the middleware of keyadmin and without it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
django.setup()

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

from keyadmin.web.auth import Handler, requires


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


BEHIND = [
    "keyadmin.web.middleware.RequestContextMiddleware",
    "keyadmin.verify.middleware.ApiKeyMiddleware",
]
is_behind = os.environ.get("BENCH_BEHIND") == "1"
urlpatterns = [path("", requires("view_customer")(plain) if is_behind else plain)]
settings.ROOT_URLCONF, settings.MIDDLEWARE = __name__, BEHIND if is_behind else []
application = Handler()
