"""REST for the site key. Shapes only: every rule is in the services."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from keyadmin.kernel.actor import Actor
from keyadmin.keys import queries as keys
from keyadmin.sitekey import queries, services
from keyadmin.sitekey.representation import issued_fields, state_fields
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.identity import require_identity
from keyadmin.web.rest import MAKE, READ, Changes, In, Moment, NoFields, Shape, idempotent

router = Router(auth=Credential(queries.PERMISSION), tags=["Site key"])
LONGEST = int(services.LONGEST_OVERLAP.total_seconds())
USUAL = int(services.DEFAULT_OVERLAP.total_seconds())


class SiteKeyOut(Shape):
    """`token_id` null: it was made elsewhere. `ends`: until then the one that was replaced counts."""

    masked_key: str
    token_id: str | None
    weak: bool
    created: Moment
    created_by: str
    secret_confirmed: bool
    ends: Moment | None


class SiteKeyState(Shape):
    """`demanded_by` is `environment` for KEYADMIN_REQUIRE_SITE_KEY, which wins over the saved `setting`."""

    demanded: bool
    demanded_by: Literal["environment", "setting"] | None
    current: SiteKeyOut | None
    retiring: SiteKeyOut | None
    keys_used_in_7_days: int


class SiteKeyIssued(SiteKeyState):
    """`site_key` only if it was made here, and in this answer alone; `warning` only if it is weak."""

    site_key: str | None = None
    warning: str | None = None


class SiteKeyIn(In):
    """A site key made elsewhere enters it; null or none has one made."""

    site_key: Annotated[
        str | None, Field(description="16 to 256 characters of A-Z a-z 0-9 . _ ~ -; null: make one")
    ] = None
    overlap_seconds: Annotated[
        int, Field(ge=0, le=LONGEST, description="how long the one before counts; 0: it stops at once")
    ] = USUAL


class SiteKeyPatch(Changes):
    demanded: bool = False


# What an absent body stands for.
MAKE_ONE, NO_FIELDS = SiteKeyIn(), NoFields()


@router.get("", response={200: SiteKeyState, **READ}, operation_id="site_key_show")
def show_site_key(request: HttpRequest) -> dict[str, Any]:
    """The site key of the installation, masked, and whether it is demanded; needs `sitekey.ctrl`."""
    return _state(actor_of(request))


@router.post("", response={201: SiteKeyIssued, **MAKE}, operation_id="site_key_replace", exclude_unset=True)
def replace_site_key(request: HttpRequest, body: SiteKeyIn = MAKE_ONE) -> Status[Any]:
    """Make the site key, or enter one, in place of the one before, which counts for the overlap."""
    actor = _certain(request)

    def act() -> dict[str, Any]:
        overlap = timedelta(seconds=body.overlap_seconds)
        issued = services.replace_site_key(actor=actor, secret=body.site_key, overlap=overlap)
        return {**issued_fields(issued, queries.state(actor)), **_figures(actor)}

    return idempotent(request, actor, 201, act)


@router.patch("", response={200: SiteKeyState, **MAKE}, operation_id="site_key_edit")
def edit_site_key(request: HttpRequest, body: SiteKeyPatch) -> dict[str, Any]:
    """Demand the site key of every request by key, or no more. Whoever calls with a key then needs it too."""
    actor = _certain(request)
    if "demanded" in body.model_fields_set:
        services.set_demand(actor=actor, demanded=body.demanded)
    return _state(actor)


@router.post("/end-overlap", response={200: SiteKeyState, **MAKE}, operation_id="site_key_end_overlap")
def end_overlap(request: HttpRequest, body: NoFields = NO_FIELDS) -> Status[Any]:
    """Let the site key that was replaced stop now."""
    actor = _certain(request)

    def act() -> dict[str, Any]:
        services.end_overlap(actor=actor)
        return _state(actor)

    return idempotent(request, actor, 200, act)


@router.delete("", response={204: None, **MAKE}, operation_id="site_key_revoke")
def revoke_site_key(request: HttpRequest) -> Status[None]:
    """Stop the site key for good, and the one before it; 409 while one is demanded."""
    services.revoke_site_key(actor=_certain(request))
    return Status(204, None)


def _certain(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    require_identity(request)
    return actor


def _state(actor: Actor) -> dict[str, Any]:
    return {**state_fields(queries.state(actor)), **_figures(actor)}


def _figures(actor: Actor) -> dict[str, Any]:
    return {"keys_used_in_7_days": keys.number_used(actor.meaning(None), queries.DAYS)}
