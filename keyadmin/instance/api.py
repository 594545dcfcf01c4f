"""REST for the settings of the instance: the number of rounds that slow hashes have."""

from typing import Annotated, Any, Literal, cast

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from accounts import access
from keyadmin.instance import queries, services
from keyadmin.instance.representation import settings_fields
from keyadmin.kernel import hashing
from keyadmin.web.auth import Credential, actor_of
from keyadmin.web.identity import require_identity
from keyadmin.web.rest import CHANGE, READ, Changes, Shape, expected_version, versioned

router = Router(auth=Credential(), tags=["Settings"])

Rounds = Annotated[int, Field(ge=1, le=hashing.MOST_ROUNDS)]


class SettingsOut(Shape):
    """The number in force, and where it comes from; the environment and the files outdo what is saved."""

    api_key_rounds_no: int
    source: Literal["environment", "data_directory", "machine", "saved", "default"]
    saved: int | None
    warnings: list[str]
    version: int


class SettingsPatch(Changes):
    api_key_rounds_no: Rounds = hashing.DEFAULT_ROUNDS


@router.get("", response={200: SettingsOut, **READ}, operation_id="settings_get")
def get_settings(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    """The settings of the instance; needs `setting.ctrl`, or `audit.view` in some organisation."""
    access.require_settings_view(actor_of(request))
    return versioned(response, settings_fields(queries.rounds()))


@router.patch("", auth=Credential("setting.ctrl"), response={200: SettingsOut, **CHANGE}, operation_id="settings_edit")
def edit_settings(request: HttpRequest, response: HttpResponse, body: SettingsPatch) -> dict[str, Any]:
    """Save the number of rounds; absent fields stay.

    Keys go on working: their verifiers get the new number when they are used next. 409 `set_elsewhere` while the
    environment or a `config.yml` decides.
    """
    require_identity(request)
    rounds = services.edit_settings(
        actor=actor_of(request),
        changes=cast(services.SettingsChanges, body.dict(exclude_unset=True)),
        expected_version=expected_version(request),
    )
    return versioned(response, settings_fields(rounds))
