"""Wiring of all addresses."""

from django.urls import include, path

from keyadmin.activity.urls import instance_urlpatterns
from keyadmin.api import api, openapi
from keyadmin.keys.urls import mine_urlpatterns
from keyadmin.keys.views.links import key_pages
from keyadmin.system.views import metrics
from keyadmin.web import errors
from keyadmin.web.theme import choose_theme

urlpatterns = [
    path("", include("accounts.urls")),
    path("me/keys/", include(mine_urlpatterns)),
    path("o/<slug:org>/", include("keyadmin.keys.urls")),
    path("o/<slug:org>/", include("keyadmin.activity.urls"), {"links": {"api_key": key_pages}}),
    path("instance/", include(instance_urlpatterns)),
    path("instance/", include("keyadmin.instance.urls")),
    path("instance/", include("keyadmin.sitekey.urls")),
    path("docs/", include("keyadmin.system.urls")),
    path("metrics", metrics, name="metrics"),
    path("theme/", choose_theme, name="theme"),
    path("api/v1/openapi.json", openapi, name="openapi"),
    path("", api.urls),
]

handler400 = errors.bad_request
handler404 = errors.not_found
handler429 = errors.too_many  # allauth's
handler500 = errors.server_error
