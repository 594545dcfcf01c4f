"""The way to the OpenID Connect provider and back."""

from typing import Any, cast

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from requests import RequestException

from accounts.sso import Provider, failed
from keyadmin.kernel.errors import NotFoundError

PROVIDER = "sso"


@never_cache
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider."""
    return _through(OAuth2LoginView, request, provider_id)


@never_cache
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from there, with a code that is exchanged for who it is."""
    return _through(OAuth2CallbackView, request, provider_id)


def _through(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    if not settings.SOCIALACCOUNT_PROVIDERS:
        raise NotFoundError
    try:
        return cast(HttpResponse, view.adapter_view(Provider(request, provider_id))(request))
    except (RequestException, KeyError, ValueError):  # no answer, or none that is one
        return failed(request)
