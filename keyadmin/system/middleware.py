from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse


class HealthMiddleware:
    """Answers /healthz: the process lives. Before anything that needs a database or a known host name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path != "/healthz":
            return self.get_response(request)
        response = JsonResponse({"status": "ok"})
        response["Cache-Control"] = "no-store"
        return response
