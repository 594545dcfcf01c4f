"""Headers of pages: nothing of a signed-in person is stored, no secret is compressed, page and part are told apart."""

from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.web.htmx import secret
from keyadmin.web.middleware import PageMiddleware
from tests.world import World

GZIP = {"accept-encoding": "gzip"}


def answered(response: HttpResponse) -> HttpResponse:
    request = RequestFactory(headers=GZIP).get("/")
    request.actor = Actor(ActorKind.PERSON, id=1)  # type: ignore[attr-defined]

    def view(request: HttpRequest) -> HttpResponse:
        return response

    found = PageMiddleware(view)(request)
    assert isinstance(found, HttpResponse)
    return found


def test_a_page_of_a_person_is_compressed_and_stored_nowhere() -> None:
    response = answered(HttpResponse("word " * 200))

    assert response["Cache-Control"] == "no-store"
    assert response["Content-Encoding"] == "gzip"
    assert "HX-Request" in response["Vary"]


def test_a_secret_is_not_compressed() -> None:
    response = answered(secret(HttpResponse("word " * 200)))

    assert "Content-Encoding" not in response
    assert response["Cache-Control"] == "no-store, no-transform"
    assert response["Referrer-Policy"] == "no-referrer"


def test_answers_to_programs_are_left_alone(world: World) -> None:
    response = world.client(world.admin).get("/api/v1/permissions", headers=GZIP)

    assert "Content-Encoding" not in response
    assert "HX-Request" not in response.get("Vary", "")


def test_a_script_is_sent_to_sign_in_as_a_whole_page(db: None) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/docs/?a=1"}
    response = Client().get("/", headers=headers)

    assert response.status_code == 200
    assert response["HX-Redirect"] == "/sign-in/?next=%2Fdocs%2F%3Fa%3D1"
