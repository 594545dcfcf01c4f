from tests.world import World


def test_whoami(world: World) -> None:
    issued = world.key("view_customer")
    answer = world.client(key=issued.secret).get("/api/v1/whoami")
    assert answer.status_code == 200, answer.content
    assert answer.json()["permissions"] == ["view_customer"]
