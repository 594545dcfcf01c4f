"""REST for organisations and what they demand of keys."""

from typing import Annotated, Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field

from accounts import queries
from accounts.api.common import Email, LongName, SearchQuery
from accounts.models import Organization
from accounts.models.organizations import LARGEST_IMPORTED_SECRET, LEAST_IMPORTED_SECRET, LONGEST_LIFE_DAYS
from accounts.representation import key_policy_fields, organization_fields, organization_ref
from accounts.services import organizations as services
from keyadmin.kernel.actor import Actor
from keyadmin.web.auth import Credential, actor_of
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
    RateLimit,
    RateLimitOut,
    Shape,
    expected_version,
    idempotent,
    page_of,
    versioned,
)

router = Router(auth=Credential(), tags=["Organisations"])
MANAGING, CREATING = Credential("org.ctrl"), Credential("org.create")
NO_FIELDS = NoFields()

Reference = Annotated[str, Field(pattern="^[-A-Za-z0-9_]{1,50}$", description="oid or slug")]
Slug = Annotated[str, Field(pattern="^[-a-z0-9_]{1,50}$")]
Days = Annotated[int, Field(ge=1, le=LONGEST_LIFE_DAYS)]

ImportedSecret = Annotated[int, Field(ge=LEAST_IMPORTED_SECRET, le=LARGEST_IMPORTED_SECRET)]


class OrganizationOut(OrganizationRef):
    contact_email: str
    two_factor_required: bool
    suspended_since: Moment | None
    created: Moment
    version: int


class OrganizationList(Page):
    items: list[OrganizationRef]


class OrganizationIn(In):
    """Without a slug one is made from the name."""

    name: LongName
    slug: Slug | None = None


class OrganizationPatch(Changes):
    name: LongName = ""
    contact_email: Email = ""
    two_factor_required: bool = False


class KeyPolicyOut(Shape):
    """Lives in days; null: no limit, and for ever."""

    longest_life_days: int | None
    default_life_days: int | None
    never_expiring_allowed: bool
    admin_keys_allowed: bool
    admin_networks_required: bool
    one_key_per_user: bool
    api_users_only: bool
    reason_required: bool
    shortest_imported_secret: int
    default_rate_limit: RateLimitOut
    version: int


class KeyPolicyPatch(Changes):
    longest_life_days: Days | None = None
    default_life_days: Days | None = None
    never_expiring_allowed: bool = True
    admin_keys_allowed: bool = True
    admin_networks_required: bool = False
    one_key_per_user: bool = False
    api_users_only: bool = False
    reason_required: bool = False
    shortest_imported_secret: ImportedSecret = 32
    default_rate_limit: RateLimit = None


@router.get("", response={200: OrganizationList, **READ}, operation_id="organizations_list", exclude_unset=True)
def list_organizations(request: HttpRequest, query: Query[SearchQuery]) -> dict[str, Any]:
    """The organisations that the credential reaches."""
    found = queries.listed_organizations(actor_of(request)).filter(queries.matching(query.search, "name", "slug"))
    return page_of(request, found, query, organization_ref)


@router.post("", auth=CREATING, response={201: OrganizationOut, **MAKE}, operation_id="organizations_create")
def create_organization(request: HttpRequest, response: HttpResponse, body: OrganizationIn) -> Status[Any]:
    """Make an organisation with its ready groups."""
    actor = actor_of(request)

    def act() -> dict[str, Any]:
        made = services.create_organization(actor=actor, name=body.name, slug=body.slug or "")
        return organization_fields(made)

    return versioned(response, idempotent(request, actor, 201, act))


@router.get("/{organization}", response={200: OrganizationOut, **READ}, operation_id="organizations_get")
def get_organization(request: HttpRequest, response: HttpResponse, organization: Reference) -> dict[str, Any]:
    """An organisation with its settings."""
    actor, found = _named(request, organization)
    return versioned(response, organization_fields(queries.settings_of(actor, found)))


@router.patch(
    "/{organization}", auth=MANAGING, response={200: OrganizationOut, **CHANGE}, operation_id="organizations_edit"
)
def edit_organization(
    request: HttpRequest, response: HttpResponse, organization: Reference, body: OrganizationPatch
) -> dict[str, Any]:
    """Change name, contact address, or whether members must sign in with a second factor; absent fields stay."""
    actor, found = _named(request, organization)
    row = services.edit_organization(
        actor=actor,
        organization=found,
        changes=cast(services.OrganizationChanges, body.dict(exclude_unset=True)),
        expected_version=expected_version(request),
    )
    return versioned(response, organization_fields(row))


@router.get(
    "/{organization}/key-policy", response={200: KeyPolicyOut, **READ}, operation_id="organizations_key_policy_get"
)
def get_key_policy(request: HttpRequest, response: HttpResponse, organization: Reference) -> dict[str, Any]:
    """What the organisation demands of keys."""
    actor, found = _named(request, organization)
    return versioned(response, key_policy_fields(queries.settings_of(actor, found).key_policy))


@router.patch(
    "/{organization}/key-policy",
    auth=MANAGING,
    response={200: KeyPolicyOut, **CHANGE},
    operation_id="organizations_key_policy_edit",
)
def edit_key_policy(
    request: HttpRequest, response: HttpResponse, organization: Reference, body: KeyPolicyPatch
) -> dict[str, Any]:
    """Change what is demanded of keys; absent fields stay.

    Keys that exist stay as they are, but for the default of the rate limit, which holds at once for those without one.
    """
    actor, found = _named(request, organization)
    row = services.edit_key_policy(
        actor=actor,
        organization=found,
        changes=cast(services.KeyPolicyChanges, body.dict(exclude_unset=True)),
        expected_version=expected_version(request),
    )
    return versioned(response, key_policy_fields(row))


@router.post(
    "/{organization}/suspend",
    auth=CREATING,
    response={200: OrganizationOut, **MAKE},
    operation_id="organizations_suspend",
)
def suspend_organization(
    request: HttpRequest, response: HttpResponse, organization: Reference, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Stop all that works in the organisation, its keys among it, until it is resumed."""
    return _act(request, response, organization, services.suspend_organization)


@router.post(
    "/{organization}/resume",
    auth=CREATING,
    response={200: OrganizationOut, **MAKE},
    operation_id="organizations_resume",
)
def resume_organization(
    request: HttpRequest, response: HttpResponse, organization: Reference, body: NoFields = NO_FIELDS
) -> Status[Any]:
    """Let a suspended organisation work again."""
    return _act(request, response, organization, services.resume_organization)


def _named(request: HttpRequest, reference: str) -> tuple[Actor, Organization]:
    """The organisation in the address, and the actor limited to it."""
    actor = actor_of(request)
    found = queries.managed_organization(actor, reference.lower())
    return actor.meaning(found.pk), found


def _act(request: HttpRequest, response: HttpResponse, reference: str, service: Any) -> Status[Any]:
    actor, found = _named(request, reference)

    def act() -> dict[str, Any]:
        return organization_fields(service(actor=actor, organization=found))

    return versioned(response, idempotent(request, actor, 200, act))
