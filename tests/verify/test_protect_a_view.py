"""A Django view of somebody's own behind the middleware: `request.actor` and the decorator `requires`."""

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from django.urls import include, path

from keyadmin.kernel.actor import ActorKind
from keyadmin.web.auth import actor_of, requires
from tests.world import World


@requires("view_invoice")
def invoices(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    return JsonResponse({"kind": actor.kind, "id": actor.id, "label": actor.label})


def anybody(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"kind": request.actor.kind})  # type: ignore[attr-defined]


urlpatterns = [
    path("invoices/", invoices),
    path("anybody/", anybody),
    path("", include("keyadmin.urls")),
]
handler404 = "keyadmin.web.errors.not_found"

pytestmark = pytest.mark.usefixtures("own_views")


@pytest.fixture
def own_views() -> object:
    with override_settings(ROOT_URLCONF=__name__):
        yield


def test_a_key_with_the_permission_enters(world: World) -> None:
    issued = world.key("view_invoice", name="Billing")
    answer = world.client(key=issued.secret).get("/invoices/")
    assert answer.json() == {"kind": "key", "id": issued.key.pk, "label": "Billing"}


def test_a_key_without_it_is_told_which(world: World) -> None:
    answer = world.client(key=world.key("view_customer").secret).get(
        "/invoices/", headers={"Accept": "application/json"}
    )
    assert answer.status_code == 403
    assert answer.json()["missing_permission"] == "view_invoice"


def test_no_key_is_401(world: World) -> None:
    answer = world.client().get("/invoices/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "missing_key")
    assert answer["WWW-Authenticate"].startswith('ApiKey realm="keyadmin"')


def test_a_view_that_demands_nothing_sees_who_came(world: World) -> None:
    assert world.client().get("/anybody/").json() == {"kind": ActorKind.ANONYMOUS}
    assert world.client(key=world.key().secret).get("/anybody/").json() == {"kind": ActorKind.KEY}
    assert world.client(world.auditor).get("/anybody/").json() == {"kind": ActorKind.PERSON}
    assert world.client(key="ka_live_wrong").get("/anybody/").json() == {"kind": ActorKind.ANONYMOUS}


def test_a_refused_key_beside_a_session_does_not_fall_back_to_it(world: World) -> None:
    client = world.client(world.admin, key="ka_live_wrong")
    assert client.get("/anybody/").json() == {"kind": ActorKind.ANONYMOUS}
    assert client.get("/invoices/", headers={"Accept": "application/json"}).status_code == 401
