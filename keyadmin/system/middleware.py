from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from keyadmin.system import readiness


class HealthMiddleware:
    """Answers /healthz: the process lives, and /readyz: it can work. Before anything that needs a known host name.

    Neither takes a connection to the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            response = JsonResponse({"status": "ok"})
        elif request.path == "/readyz":
            response = _ready()
        else:
            return self.get_response(request)
        response["Cache-Control"] = "no-store"
        return response


def _ready() -> JsonResponse:
    """200 or 503, and each part by name."""
    parts = readiness.parts()
    body = {part: "ok" if well else "failing" for part, well in parts.items()}
    well = all(parts.values())
    return JsonResponse({"status": "ok" if well else "failing", **body}, status=200 if well else 503)
