"""What all REST endpoints share: problem answers, bounded pages, ETag and If-Match, Idempotency-Key."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Schema
from ninja.responses import Status
from pydantic import BeforeValidator, ConfigDict, Field

from keyadmin.instance import services as instance
from keyadmin.kernel import clock, patterns, rates, tokens
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import BadRequestError

M = TypeVar("M", bound=Model)
A = TypeVar("A", dict[str, Any], Status[Any])

COUNTED = 10_000
LAST_PAGE = 1_000_000
_ENTITY_TAG = re.compile(r'"(\d{1,9})"', re.ASCII)
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
MESSAGES = {
    "extra_forbidden": "There is no such field.",
    "missing": "This is missing.",
    "model_attributes_type": "This must be a JSON object.",
    "int_parsing": "This must be a whole number.",
}
SECRET_FIELDS = frozenset({"api_key", "link", "site_key"})

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
# What is sent for a `datetime`: RFC 3339, or a bare date for its end.
ReadMoment = BeforeValidator(lambda value: clock.parse_moment(value) if isinstance(value, str) else value)
PermissionName = Annotated[str, Field(max_length=patterns.NAME_MAX, pattern=f"^{patterns.NAME.pattern}$")]
PageSize = Annotated[int, Field(ge=1, le=200)]
RateLimitOut = Annotated[
    str | None, Field(description="Such as 600/minute: second, minute, hour or day. null: none of its own.")
]
RateLimit = Annotated[
    str | None,
    Field(
        pattern=rf"^([1-9][0-9]{{0,5}}|{rates.MOST})/({'|'.join(rates.UNITS)})$",
        description=f"A number from 1 to {rates.MOST} and a unit: second, minute, hour or day. null: none of its own.",
        examples=["600/minute"],
    ),
]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Shape(Schema):
    """What an answer holds, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class In(Shape):
    """A request body: an unknown field is an error, so that a typing error can't pass in silence; so is "1" for 1."""

    model_config = ConfigDict(strict=True)


def _drop_defaults(schema: dict[str, Any]) -> None:
    for described in schema.get("properties", {}).values():
        described.pop("default", None)


class Changes(In):
    """The body of a PATCH: what is absent stays. No default is described, or generated clients would send it."""

    model_config = ConfigDict(json_schema_extra=_drop_defaults)


class NoFields(In):
    """The body of a POST that takes none: an empty object, or nothing at all."""


class Problem(Schema):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    missing_permission: str | None = None
    errors: dict[str, list[str]] | None = None


class OrganizationRef(Shape):
    oid: str
    slug: str
    name: str


class UserRef(Shape):
    """`kind` is `person` or `api`; for what a key created it is `key`, and `id` the key's."""

    id: int
    uid: str | None
    kind: Literal["person", "api", "key"]
    name: str


class Page(Shape):
    """What every list says beside its `items`."""

    total: int
    total_capped: bool | None = None
    next: str | None
    previous: str | None


class PageQuery(Schema):
    """Which page of a list."""

    page: Annotated[int, Field(ge=1, le=LAST_PAGE)] = 1
    page_size: PageSize = 50


def problems(*statuses: int) -> dict[int, None]:
    """The error answers of an endpoint, for OpenAPI, which says what they hold: a `Problem` each.

    Said to ninja, it would make a model for each status of each endpoint: 600, a third of the time a start takes.
    """
    return dict.fromkeys(statuses)


READ = problems(400, 401, 403, 404, 422, 429, 500, 503)
MAKE = problems(400, 401, 403, 404, 409, 413, 422, 429, 500, 503)
CHANGE = {**MAKE, **problems(412)}  # what obeys If-Match


def page_of(
    request: HttpRequest, rows: QuerySet[M], query: PageQuery, out: Callable[[M], dict[str, Any]]
) -> dict[str, Any]:
    """One page of a list with its neighbours' addresses; `total` is exact up to 10,000."""
    start = (query.page - 1) * query.page_size
    found = list(rows[start : start + query.page_size + 1])
    more = len(found) > query.page_size
    total = rows.order_by().values("pk")[: COUNTED + 1].count()
    body: dict[str, Any] = {
        "items": [out(row) for row in found[: query.page_size]],
        "total": min(total, COUNTED),
        "next": _address(request, query, query.page + 1) if more and query.page < LAST_PAGE else None,
        "previous": _address(request, query, query.page - 1) if query.page > 1 else None,
    }
    if total > COUNTED:
        body["total_capped"] = True
    return body


def _address(request: HttpRequest, query: PageQuery, page: int) -> str:
    """The address of another page; only parameters that the list knows are repeated."""
    known = {name: value for name, value in query.dict(exclude_defaults=True).items() if value is not None}
    pairs = urlencode({**known, "page": page}, doseq=True)
    return f"{base_address(request)}{request.path}?{pairs}"


def base_address(request: HttpRequest) -> str:
    """Where this installation is reached: as the environment says, else as the caller does."""
    return settings.ENV.public_url or f"{request.scheme}://{request.get_host()}"


def expected_version(request: HttpRequest) -> int | None:
    """The version that If-Match demands (RFC 9110 §13.1.1); None without one or for `*`.

    A tag that is no version of ours gives -1, which matches none. Raises BadRequestError for several tags.
    """
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        return None
    if "," in text:
        raise BadRequestError("If-Match: send one entity tag.")
    match = _ENTITY_TAG.fullmatch(text)
    return int(match.group(1)) if match else -1


def entity_tag(version: int) -> str:
    return f'"{version}"'


def versioned(response: HttpResponse, answer: A) -> A:
    """The same body or answer, whose version now stands in its ETag."""
    body = answer.value if isinstance(answer, Status) else answer
    response["ETag"] = entity_tag(body["version"])
    return answer


def idempotent(request: HttpRequest, actor: Actor, status: int, act: Callable[[], dict[str, Any]]) -> Status[Any]:
    """Carry out a POST, at most once where it carries an Idempotency-Key; a repeat never shows a secret."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return Status(status, act())
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequestError("Idempotency-Key: 1 to 255 visible ASCII characters.")

    def once() -> instance.Answer:
        body = act()
        return instance.Answer(status, body, {name: v for name, v in body.items() if name not in SECRET_FIELDS})

    meant = actor.organization_id or ""
    scope = f"{actor.kind}:{actor.id}:{meant}:{request.method}:{request.path}:{request.headers.get('If-Match', '')}"
    result = instance.once(actor, scope=scope, key=key, body=request.body, act=once)
    return Status(result.status, result.body)


def messages_of(errors: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """pydantic's errors by field, without the input, which may be a secret."""
    found: dict[str, list[str]] = {}
    for error in errors:
        place = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "header", "form")]
        names = [part for part in place if part not in ("body_params", "data", "filters")]
        message = MESSAGES.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
        # A field that is not known is named too, and could be a pasted key.
        found.setdefault(tokens.redact(".".join(names))[:100] or "body", []).append(message)
    return found
