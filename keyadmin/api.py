"""Wiring of the REST API: one ninja API over all routers, every error as problem+json."""

import functools
import json
import threading
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from accounts import api as accounts
from keyadmin.compat import omnicrm
from keyadmin.instance import api as instance
from keyadmin.kernel.errors import BadRequestError, InvalidError, ProblemError
from keyadmin.keys import api as keys
from keyadmin.sitekey import api as sitekey
from keyadmin.usage import api as usage
from keyadmin.verify import api as verify
from keyadmin.web import errors
from keyadmin.web.rest import Problem, messages_of

DEEPEST = 20
ASKING = {"verify", "simulate"}  # they change nothing, and an old answer would be wrong
MOST_FIELDS = 100
PROBLEM = {"$ref": "#/components/schemas/Problem"}


class JSONParser(Parser):
    """JSON bodies (RFC 8259) in UTF-8; anything else is a bad request, however it is broken."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            body = json.loads(request.body.decode(), parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise BadRequestError("The body is not JSON in UTF-8.") from None
        _refuse_unstorable(body, "", DEEPEST)
        return body


def _no_number(text: str) -> None:
    raise ValueError  # NaN and Infinity, which Python writes and JSON has not


def _refuse_unstorable(value: object, place: str, levels: int) -> None:
    """NUL and lone surrogates can be written in JSON, but not stored in PostgreSQL or sent as UTF-8."""
    if levels == 0:
        raise BadRequestError("The body is nested too deeply.")
    if isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise InvalidError.field(place or "body", "The text holds a character that can't be used: NUL or half of one.")
    if isinstance(value, dict):
        if len(value) > MOST_FIELDS:
            raise BadRequestError("The body has too many fields.")
        for name, inner in value.items():
            _refuse_unstorable(name, place, levels)
            _refuse_unstorable(inner, f"{place}.{name}".strip(".")[:100], levels - 1)
    elif isinstance(value, list):
        for inner in value:
            _refuse_unstorable(inner, place, levels - 1)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class API(NinjaAPI):
    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Every answer is for its caller alone, and some show a secret. Raises BadRequestError for half a request."""
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if declared.isdigit() and int(declared) != len(request.body):
            raise BadRequestError("The body of the request ended early.")
        response = super().create_temporal_response(request)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """ninja's schema, with what errors hold, and the headers that middleware and kit know."""
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"]["Problem"] = Problem.json_schema()
        for operations in schema["paths"].values():
            for method, operation in operations.items():
                for media in operation.get("requestBody", {}).get("content", {}).values():
                    media["schema"].pop("default", None)  # that of an absent body, which openapi-python-client rejects
                operation["parameters"] += _headers_of(method, operation)
                for status, answer in operation["responses"].items():
                    if int(status) >= 400:
                        answer["content"] = {errors.PROBLEM_TYPE: {"schema": PROBLEM}}
        return schema


def _headers_of(method: str, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The request headers that an operation obeys, all of them optional."""
    text: dict[str, Any] = {"type": "string"}
    found: list[tuple[str, str, dict[str, Any]]] = []
    if "security" in operation:
        found.append(("X-SITE-KEY", "The site key, where the installation demands one beside the key.", text))
        found.append(("X-Organization", "The organisation that the request means: oid or slug.", text))
    if method != "get":
        found.append(("X-Reason", "Why; kept in the activity log.", {**text, "maxLength": 200}))
        if 412 in operation["responses"]:
            found.append(("If-Match", "The ETag of the version to act on; 412 when it is not current any more.", text))
    if method == "post" and operation["operationId"] not in ASKING:
        schema = {**text, "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        found.append(("Idempotency-Key", "A repeat within 24 hours gets the first answer, without the secret.", schema))
    return [
        {"in": "header", "name": name, "description": description, "required": False, "schema": schema}
        for name, description, schema in found
    ]


api = API(
    title="Keyadmin",
    version="1",
    description="Issue, rotate and revoke API keys, and decide what each may do.",
    openapi_url=None,  # a view of ours, below: ninja's answers every method
    docs_url=None,
    parser=JSONParser(),
)
api.add_router("/api/v1/api-keys", keys.router("api_keys", acts=True))
api.add_router("/api/v1/api-keys", usage.router_of_keys())
api.add_router("/api/v1/access-log", usage.router_of_log())
api.add_router("/api/v1/users", keys.users_router())
api.add_router("/api/v1/site-key", sitekey.router)
for name, router in accounts.ROUTERS.items():
    api.add_router(f"/api/v1/{name}", router)
for name, router in verify.ROUTERS.items():
    api.add_router(f"/api/v1/{name}", router)
api.add_router("/api/v1/settings", instance.router)
api.add_router("/crm/api-keys", omnicrm.api_keys)
if settings.ENV.sample:
    api.add_router("/crm/customers", omnicrm.customers)


_building = threading.Lock()


@functools.cache
def _built() -> bytes:
    return json.dumps(api.get_openapi_schema(path_prefix="")).encode()


def _openapi() -> bytes:
    """Built once, which takes a while: whoever asks meanwhile waits for it, as the cache itself would build it anew."""
    with _building:
        return _built()


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The description of this API in OpenAPI 3.1, public."""
    return HttpResponse(_openapi(), content_type="application/json")


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return errors.answer(request, InvalidError(errors=messages_of(error.errors)))


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # ninja wraps what the parser raises.
    cause = error.__cause__
    return errors.answer(request, cause if isinstance(cause, ProblemError) else BadRequestError(str(error)))


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return errors.answer(request, ProblemError(code="not_found"))


@api.exception_handler(Exception)
def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    return errors.failed(request, error)
