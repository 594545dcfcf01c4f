"""REST for usage and the access log. Of which keys and organisations is a question for the room `keys`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field, WithJsonSchema

from keyadmin.kernel import clock, tokens
from keyadmin.kernel.errors import InvalidError
from keyadmin.keys import queries as keys
from keyadmin.usage import queries
from keyadmin.usage.queries import Scope, Wanted
from keyadmin.usage.representation import record_fields, usage_fields
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.rest import COUNTED, READ, Moment, Page, PageSize, ReadMoment, RowId, Shape, base_address

SHOWN_ADDRESSES = 100


When = Annotated[
    datetime,
    ReadMoment,
    WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339"}),
]


class CountOut(Shape):
    """The requests of one hour or day (UTC), by outcome."""

    start: Moment
    requests: dict[str, int]
    total: int


class AddressOut(Shape):
    address: str
    first_seen: Moment
    last_seen: Moment
    requests: int


class UsageOut(Shape):
    """`items` leaves out spans without a request; what came within the last second or so may be missing."""

    unit: Literal["hour", "day"]
    since: Annotated[Moment, Field(alias="from", serialization_alias="from")]
    to: Moment
    items: list[CountOut]
    requests: dict[str, int]
    total: int
    last_used: Moment | None
    last_used_from: str | None
    addresses: list[AddressOut]


class AccessOut(Shape):
    """One request. `outcome` is the code that its sender was told, or `allowed`; `reason` the exact one."""

    id: int
    time: Moment
    method: str
    path: str
    outcome: str
    reason: str | None
    missing_permission: str | None
    api_key_id: int | None
    token_id: str | None
    user_id: int | None
    who: str | None
    address: str
    user_agent: str
    request_id: str


class AccessList(Page):
    """Pages follow each other by `next`; there is no way back (`previous` is null)."""

    items: list[AccessOut]


class UsageQuery(Schema):
    since: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None
    unit: Literal["hour", "day"] = "day"


class AccessQuery(Schema):
    since: Annotated[When | None, Field(alias="from")] = None
    to: When | None = None
    outcome: Annotated[str, Field(max_length=40)] | None = None
    request_id: (
        Annotated[
            str,
            Field(
                max_length=64, description="Looked for in the 24 hours before `to`, or from `from` on: 31 days at most"
            ),
        ]
        | None
    ) = None
    cursor: Annotated[str, Field(max_length=40)] = ""
    page_size: PageSize = 50


class LogQuery(AccessQuery):
    key: RowId | None = None


def key_usage(request: HttpRequest, api_key_id: RowId, asked: Query[UsageQuery]) -> dict[str, Any]:
    """How much a key is used, by hour or day and outcome; from where, and when last."""
    scope = keys.usage_of(actor_of(request), keys.visible_key(actor_of(request), api_key_id))
    since, to = queries.span(asked.unit, asked.since, asked.to)
    points = queries.of_key(api_key_id, asked.unit, since, to, scope)
    addresses = queries.addresses(api_key_id, scope, SHOWN_ADDRESSES)
    body = usage_fields(points, addresses)
    return {"unit": asked.unit, "from": clock.rfc3339(since), "to": clock.rfc3339(to), **body}


def key_access(request: HttpRequest, api_key_id: RowId, asked: Query[AccessQuery]) -> dict[str, Any]:
    """The requests that came with a key, the newest first."""
    scope = keys.usage_of(actor_of(request), keys.visible_key(actor_of(request), api_key_id))
    return _page(request, scope, asked, api_key_id)


def access_log(request: HttpRequest, asked: Query[LogQuery]) -> dict[str, Any]:
    """The requests about organisations whose usage the credential may see, and with its own keys, the newest first."""
    return _page(request, keys.usage_scope(actor_of(request)), asked, asked.key)


def _page(request: HttpRequest, scope: Scope, asked: AccessQuery, key_id: int | None) -> dict[str, Any]:
    _refuse_unknown(request, type(asked))
    wanted = queries.wanted(Wanted(asked.since, asked.to, asked.outcome, key_id, asked.request_id))
    found = queries.records(scope, wanted, asked.cursor, asked.page_size)
    body: dict[str, Any] = {
        "items": [record_fields(row) for row in found.records],
        "total": min(found.total, COUNTED),
        "next": _following(request, asked, found.following) if found.following else None,
        "previous": None,
    }
    return {**body, "total_capped": True} if found.total > COUNTED else body


def _refuse_unknown(request: HttpRequest, query: type[AccessQuery]) -> None:
    """A mistyped filter must not pass in silence: it would show more than was asked for."""
    known = {field.alias or name for name, field in query.model_fields.items()} | {"organization"}
    unknown = request.GET.keys() - known
    if unknown:
        raise InvalidError(errors={tokens.redact(name)[:100]: ["There is no such parameter."] for name in unknown})


def _following(request: HttpRequest, asked: AccessQuery, cursor: str) -> str:
    known = asked.dict(exclude_defaults=True, by_alias=True)
    given = {name: clock.rfc3339(value) if isinstance(value, datetime) else value for name, value in known.items()}
    return f"{base_address(request)}{request.path}?{urlencode({**given, 'cursor': cursor})}"


def router_of_keys() -> Router:
    """What stands under the address of a key."""
    made = Router(auth=Credential(), tags=["Usage"])
    made.get("/{api_key_id}/usage", response={200: UsageOut, **READ}, operation_id="api_keys_usage", by_alias=True)(
        key_usage
    )
    made.get(
        "/{api_key_id}/access", response={200: AccessList, **READ}, operation_id="api_keys_access", exclude_unset=True
    )(key_access)
    return made


def router_of_log() -> Router:
    """The access log."""
    made = Router(auth=Credential(), tags=["Usage"])
    made.get("", response={200: AccessList, **READ}, operation_id="access_log", exclude_unset=True)(access_log)
    return made
