import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.core.wsgi import get_wsgi_application
from django.urls import path
from knox.auth import TokenAuthentication as KnoxAuthentication
from rest_framework.authentication import BaseAuthentication, TokenAuthentication
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.permissions import HasAPIKey


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
