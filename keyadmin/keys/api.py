"""REST for API keys. Shapes only: every rule is in the services."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field, WithJsonSchema

from accounts import queries as accounts
from accounts.models import Organization, User
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError, NotFoundError
from keyadmin.keys import queries, services
from keyadmin.keys.filters import DEFAULT_SORT, DEFAULT_STATUS, SORT_NAMES, USED, KeyFilter
from keyadmin.keys.representation import assigned_fields, issued_fields, key_fields
from keyadmin.keys.status import FILTERS
from keyadmin.keys.status import Status as KeyStatus
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.identity import require_identity
from keyadmin.web.rest import (
    CHANGE,
    MAKE,
    READ,
    Changes,
    In,
    Moment,
    NoFields,
    OrganizationRef,
    Page,
    PageQuery,
    RateLimit,
    RateLimitOut,
    ReadMoment,
    RowId,
    Shape,
    UserRef,
    expected_version,
    idempotent,
    page_of,
    versioned,
)

Expiry = Annotated[
    datetime,
    ReadMoment,
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
            "description": "RFC 3339, or a bare date, which means the end of that day, 23:59:59Z.",
            "examples": ["2030-12-31", "2030-12-31T12:00:00Z"],
        }
    ),
]
Pattern = Annotated[str, Field(max_length=100)]
Patterns = Annotated[list[Pattern], Field(max_length=200)]
Networks = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Description = Annotated[str, Field(max_length=2000)]


class KeyOut(Shape):
    api_key_id: int
    token_id: Annotated[str | None, Field(description="null: the secret was made elsewhere")]
    name: str
    description: str
    masked_key: str
    status: KeyStatus
    kind: Literal["organization", "user"]
    environment: Literal["live", "test"]
    owner: UserRef | None
    organization: OrganizationRef | None
    permissions: list[str] | None
    flairs: list[str]
    created: Moment
    created_by: UserRef | None
    expiry_date: Moment | None
    last_used: Annotated[Moment | None, Field(description="null: never; as of a minute or so ago")]
    allowed_networks: list[str]
    rate_limit: RateLimitOut
    locked: bool
    version: int


class IssuedOut(KeyOut):
    """`api_key` is the secret: in this answer alone, and not in the repetition of one."""

    api_key: str | None = None


class AssignedOut(IssuedOut):
    """`api_key` only if it was generated here; `warning` only if the secret is weak."""

    warning: str | None = None


class KeyList(Page):
    items: list[KeyOut]


class KeyIn(In):
    name: Name
    description: Description = ""
    kind: Literal["organization", "user"] = "organization"
    organization: Annotated[str, Field(max_length=50, description="oid or slug")] | None = None
    owner: RowId | None = None
    permissions: Patterns | None = None
    expiry_date: Expiry | None = None
    environment: Literal["live", "test"] = "live"
    allowed_networks: Networks = []
    rate_limit: RateLimit = None


class KeyPatch(Changes):
    name: Name = ""
    description: Description = ""
    permissions: Patterns | None = None
    expiry_date: Expiry | None = None
    allowed_networks: Networks = []
    rate_limit: RateLimit = None


class RegenerateIn(In):
    expiry_date: Expiry | None = None


class AssignIn(In):
    """A secret made elsewhere enters it; null or none has one generated; an empty one revokes the assigned key."""

    api_key: Annotated[
        str | None,
        Field(description="16 to 256 characters of A-Z a-z 0-9 . _ ~ -; null: generate one; empty: revoke"),
    ] = None
    expiry_date: Expiry | None = None


# What an absent body stands for. (None as the default would make a client generated from the schema send `null`.)
NO_FIELDS, KEEP_EXPIRY, GENERATE = NoFields(), RegenerateIn(), AssignIn()


class KeyQuery(PageQuery):
    search: Annotated[str, Field(max_length=200)] | None = None
    status: Literal[tuple(FILTERS)] = DEFAULT_STATUS  # type: ignore[valid-type]
    kind: Literal["organization", "user"] | None = None
    environment: Literal["live", "test"] | None = None
    owner: RowId | None = None
    used: Literal[tuple(USED)] | None = None  # type: ignore[valid-type]
    organization: Annotated[str, Field(max_length=50, description="oid or slug")] | None = None
    sort: Literal[SORT_NAMES] = DEFAULT_SORT  # type: ignore[valid-type]


def list_keys(request: HttpRequest, filters: Query[KeyQuery]) -> dict[str, Any]:
    """The API keys that the credential may see."""
    actor = actor_of(request)
    keys = KeyFilter(filters.dict(exclude_none=True), queries.visible_keys(actor))
    if not keys.is_valid():
        raise InvalidError(errors={name: list(map(str, texts)) for name, texts in keys.errors.items()})
    return page_of(request, keys.qs, filters, key_fields)


def create_key(request: HttpRequest, response: HttpResponse, body: KeyIn) -> Status[Any]:
    """Make a key. Its secret is `api_key` in this answer and shown nowhere else, ever."""
    actor = actor_of(request)
    if "*" in (body.permissions or ()):
        require_identity(request)
    organization, owner = _belongs_to(actor, body)
    actor = accounts.meaning_one(actor) if organization is None else actor
    minted = services.mint(body.environment)

    def act() -> dict[str, Any]:
        issued = services.create_key(
            actor=actor,
            name=body.name,
            kind=body.kind,
            organization=organization,
            owner=owner,
            description=body.description,
            permissions=body.permissions,
            expires_at=body.expiry_date if "expiry_date" in body.model_fields_set else services.UNSAID,
            environment=body.environment,
            allowed_networks=body.allowed_networks,
            rate_limit=body.rate_limit,
            minted=minted,
        )
        return issued_fields(issued)

    return versioned(response, idempotent(request, actor, 201, act))


def get_key(request: HttpRequest, response: HttpResponse, api_key_id: RowId) -> dict[str, Any]:
    """One API key."""
    key = queries.visible_key(actor_of(request), api_key_id)
    return versioned(response, key_fields(key))


def edit_key(request: HttpRequest, response: HttpResponse, api_key_id: RowId, body: KeyPatch) -> dict[str, Any]:
    """Change name, description, permissions, expiry, networks or rate limit; absent fields stay. Never the secret."""
    sent = body.dict(exclude_unset=True)
    changes = services.KeyChanges()
    if "expiry_date" in sent:
        changes["expires_at"] = sent["expiry_date"]
    for name in ("name", "description", "permissions", "allowed_networks", "rate_limit"):
        if name in sent:
            changes[name] = sent[name]
    key = services.edit_key(
        actor=accounts.meaning_one(actor_of(request)),
        key_id=api_key_id,
        changes=changes,
        expected_version=expected_version(request),
    )
    return versioned(response, key_fields(key))


def delete_key(request: HttpRequest, api_key_id: RowId) -> Status[None]:
    """Revoke the key and remove its record; the activity log keeps the story."""
    services.delete_key(
        actor=accounts.meaning_one(actor_of(request)), key_id=api_key_id, expected_version=expected_version(request)
    )
    return Status(204, None)


def regenerate_key(
    request: HttpRequest, response: HttpResponse, api_key_id: RowId, body: RegenerateIn = KEEP_EXPIRY
) -> Status[Any]:
    """Replace the secret: the old one is dead at once, the new one is `api_key` in this answer alone."""
    actor = accounts.meaning_one(actor_of(request))
    require_identity(request)
    minted = services.mint_like(queries.visible_key(actor, api_key_id))

    def act() -> dict[str, Any]:
        issued = services.regenerate_key(
            actor=actor,
            key_id=api_key_id,
            expires_at=body.expiry_date if "expiry_date" in body.model_fields_set else services.UNSAID,
            expected_version=expected_version(request),
            minted=minted,
        )
        return issued_fields(issued)

    return versioned(response, idempotent(request, actor, 200, act))


def pause_key(
    request: HttpRequest, response: HttpResponse, api_key_id: RowId, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Stop the key for the time being."""
    return _act_on_key(request, response, api_key_id, services.pause_key)


def resume_key(
    request: HttpRequest, response: HttpResponse, api_key_id: RowId, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Let a paused key work again."""
    return _act_on_key(request, response, api_key_id, services.resume_key)


def revoke_key(
    request: HttpRequest, response: HttpResponse, api_key_id: RowId, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Stop the key for good; its record stays."""
    return _act_on_key(request, response, api_key_id, services.revoke_key)


def assign_key(request: HttpRequest, response: HttpResponse, user_id: RowId, body: AssignIn = GENERATE) -> Status[Any]:
    """Enter or generate the key that is assigned to a user, in place of the last one; other keys stay.

    An empty `api_key` revokes it; 204 if there never was one.
    """
    actor = actor_of(request)
    require_identity(request)
    owner = accounts.assignee(actor, str(user_id))
    issued = services.set_assigned_key(
        actor=accounts.meaning_one(actor),
        owner=owner,
        secret=body.api_key,
        expires_at=body.expiry_date if "expiry_date" in body.model_fields_set else services.UNSAID,
    )
    return Status(204, None) if issued is None else versioned(response, Status(200, assigned_fields(issued)))


def users_router() -> Router:
    """What can be done to the keys of a user, by the user's id."""
    made = Router(auth=Credential(), tags=["API keys"])
    answers = {200: AssignedOut, 204: None, **MAKE}
    made.put("/{user_id}/api-key", response=answers, operation_id="users_assign_api_key", exclude_unset=True)(
        assign_key
    )
    return made


def block_key(
    request: HttpRequest, response: HttpResponse, api_key_id: RowId, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Refuse a person's key in the organisation that the request means; elsewhere it works as before."""
    return _act_on_key(request, response, api_key_id, _here(request, services.block_key))


def unblock_key(
    request: HttpRequest, response: HttpResponse, api_key_id: RowId, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Let a blocked key work again in the organisation that the request means."""
    return _act_on_key(request, response, api_key_id, _here(request, services.unblock_key))


def router(name: str, *, acts: bool) -> Router:
    """A router over these endpoints; `name` makes operation ids unique, `acts` adds the POSTs that act on a key."""
    made = Router(auth=Credential(), tags=["API keys"])
    # exclude_unset: `api_key` and `total_capped` stand in an answer only when they have something to say.
    made.get("", response={200: KeyList, **READ}, operation_id=f"{name}_list", exclude_unset=True)(list_keys)
    made.post("", response={201: IssuedOut, **MAKE}, operation_id=f"{name}_create", exclude_unset=True)(create_key)
    one = "/{api_key_id}"
    made.get(one, response={200: KeyOut, **READ}, operation_id=f"{name}_get")(get_key)
    made.patch(one, response={200: KeyOut, **CHANGE}, operation_id=f"{name}_edit")(edit_key)
    made.delete(one, response={204: None, **CHANGE}, operation_id=f"{name}_delete")(delete_key)
    if acts:
        made.post(
            f"{one}/regenerate",
            response={200: IssuedOut, **CHANGE},
            operation_id=f"{name}_regenerate",
            exclude_unset=True,
        )(regenerate_key)
        for act in (pause_key, resume_key, revoke_key, block_key, unblock_key):
            verb = act.__name__.removesuffix("_key")
            made.post(f"{one}/{verb}", response={200: KeyOut, **CHANGE}, operation_id=f"{name}_{verb}")(act)
    return made


def _act_on_key(request: HttpRequest, response: HttpResponse, key_id: int, service: Any) -> Status[Any]:
    actor = accounts.meaning_one(actor_of(request))

    def act() -> dict[str, Any]:
        return key_fields(service(actor=actor, key_id=key_id, expected_version=expected_version(request)))

    return versioned(response, idempotent(request, actor, 200, act))


def _here(request: HttpRequest, service: Any) -> Any:
    """A service that acts in one organisation, in the one meant."""
    return partial(service, organization=accounts.organization_meant(actor_of(request))[1])


def _belongs_to(actor: Actor, body: KeyIn) -> tuple[Organization | None, User | None]:
    """The organisation or the owner that a new key names; the credential's own where it names none."""
    organization = None
    if body.organization is not None:
        try:
            organization = accounts.organization(actor, body.organization.strip().lower())
        except NotFoundError as error:
            raise InvalidError.field("organization", error.detail) from None
    owner_id = body.owner or (actor.user_id if body.kind == "user" else None)
    try:
        owner = accounts.key_owner(actor, str(owner_id)) if owner_id else None
    except NotFoundError as error:
        raise InvalidError.field("owner", error.detail) from None
    if organization is None and body.kind == "organization":
        organization = accounts.visible_organizations(accounts.meaning_one(actor)).first()
    return organization, owner
