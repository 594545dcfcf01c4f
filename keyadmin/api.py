"""Wiring of the REST API: one ninja API over all routers, every error as problem+json."""

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from accounts import api as accounts
from keyadmin.compat import omnicrm
from keyadmin.kernel.errors import BadRequestError, InvalidError, ProblemError
from keyadmin.keys import api as keys
from keyadmin.verify import api as verify
from keyadmin.web import errors
from keyadmin.web.rest import messages_of


class JSONParser(Parser):
    """JSON bodies in UTF-8; anything else is a bad request, however it is broken."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            return json.loads(request.body.decode())
        except (ValueError, RecursionError):
            raise BadRequestError("The body is not JSON in UTF-8.") from None


class API(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """ninja's schema, with the media type that the errors really have."""
        schema = super().get_openapi_schema(**options)
        for path in schema["paths"].values():
            for operation in path.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400 and "content" in answer:
                        answer["content"] = {errors.PROBLEM_TYPE: answer["content"]["application/json"]}
        return schema


api = API(
    title="Keyadmin",
    version="1",
    description="Issue, rotate and revoke API keys, and decide what each may do.",
    openapi_url="/api/v1/openapi.json",
    docs_url=None,
    parser=JSONParser(),
)
api.add_router("/api/v1/api-keys", keys.router("api_keys", acts=True))
api.add_router("/api/v1/permissions", accounts.router)
api.add_router("/api/v1/whoami", verify.router)
api.add_router("/crm/api-keys", omnicrm.api_keys)
if settings.ENV.sample:
    api.add_router("/crm/customers", omnicrm.customers)


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return errors.answer(request, InvalidError(errors=messages_of(error.errors)))


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return errors.answer(request, BadRequestError(str(error)))


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return errors.answer(request, ProblemError(code="not_found"))


@api.exception_handler(Exception)
def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    return errors.failed(request, error)
