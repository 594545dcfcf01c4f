import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from knox.auth import TokenAuthentication as KnoxAuthentication  # noqa: E402
from rest_framework.authentication import BaseAuthentication, TokenAuthentication  # noqa: E402
from rest_framework.permissions import BasePermission, IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework_api_key.permissions import HasAPIKey  # noqa: E402


class Checked(APIView):
    def get(self, request: Request) -> Response:
        return Response()


def view(permission: type[BasePermission], *authentication: type[BaseAuthentication]) -> object:
    return Checked.as_view(permission_classes=[permission], authentication_classes=list(authentication))


urlpatterns = [
    path("api-key", view(HasAPIKey)),
    path("knox", view(IsAuthenticated, KnoxAuthentication)),
    path("token", view(IsAuthenticated, TokenAuthentication)),
]
application = get_wsgi_application()
