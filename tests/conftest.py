import gc
import os
import sys
from collections.abc import Callable, Iterator

import hypothesis
import pytest
from django.conf import Settings, settings
from django.core.handlers.base import BaseHandler
from django.test.client import ClientHandler

from tests import world as worlds
from tests.servers import OURS
from tests.world import World

# No test asserts a time: a busy machine is no fault of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture
def world(db: None) -> World:
    """The small world, in a database that is rolled back after the test."""
    return worlds.build(settings.ENV.master.fingerprint)


@pytest.fixture
def lasting_world(transactional_db: None) -> World:
    """The same, committed: for tests with several threads or processes."""
    return worlds.build(settings.ENV.master.fingerprint)


@pytest.fixture
def report(soak: bool, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says a figure that no test asserts: on the terminal by `make soak`, else beside what a failing test printed."""

    def say(line: str) -> None:
        if soak:
            with capsys.disabled():
                sys.stdout.write(f"\n{line}\n")
        else:
            sys.stdout.write(f"{line}\n")

    return say


# What is looked at there is the same on every database: they run on SQLite alone, with the full numbers on both.
ANY_DATABASE = (
    *(
        "tests/kernel/",
        "tests/settings/",
        "tests/web/",
        "tests/pages/",
        "tests/test_architecture.py",
        "tests/test_setup",
    ),
    *(
        "tests/api/test_guard_routes",
        "tests/api/test_hide_",
        "tests/api/test_refuse_fields",
        "tests/api/test_refuse_other",
    ),
    *("tests/commands/test_seed_demo", "tests/verify/test_preview_policies"),
    *("tests/running/test_refuse_to_start", "tests/running/test_set_up_by_link", "tests/running/test_start_a_demo"),
    *("tests/gateways/", "tests/limits/", "tests/usage/test_go_on_without_a_spool"),
    *("tests/verify/test_answer_gateways", "tests/verify/test_decide", "tests/verify/test_demand_a_site_key"),
    *("tests/verify/test_limit_requests", "tests/verify/test_slow_down_guessing", "tests/verify/test_take_equally"),
    *("tests/api/test_generate_a_client", "tests/api/test_identify_requests", "tests/api/test_name_an_organization"),
    *("tests/api/test_refuse_credentials", "tests/commands/test_calibrate", "tests/commands/test_refuse_misuse"),
    *("tests/running/test_stop_cleanly", "tests/running/test_take_requests_in_whole"),
    *("tests/running/test_bound_connections", "tests/running/test_outlast_dripping", "tests/running/test_reload"),
    *("tests/running/test_limit_everywhere", "tests/running/test_open_the_door", "tests/running/test_say_whether"),
    *("tests/running/test_answer_without_a_database", "tests/running/test_tell_prometheus"),
)
# What asks in ways of its own: searches, filters, orders, counts; and one that makes nearly everything there is.
BUT = (
    *("tests/pages/test_find_keys", "tests/pages/test_manage_permissions", "tests/pages/test_manage_users"),
    *("tests/pages/test_open_every_page", "tests/pages/test_read_the_", "tests/pages/test_two_organisations"),
    "tests/commands/test_seed_demo.py::test_all_that_it_says_can_be_used",
)


def is_same_everywhere(test: str) -> bool:
    return test.startswith(ANY_DATABASE) and not test.startswith(BUT)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test with a database has both: each request can leave an access record."""
    if config.getoption("database") == "postgres" and os.environ.get(OURS) != "1":
        config.hook.pytest_deselected(items=[item for item in items if is_same_everywhere(item.nodeid)])
        items[:] = [item for item in items if not is_same_everywhere(item.nodeid)]
    for item in items:
        if {"db", "transactional_db"} & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(databases="__all__"), append=False)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: to look for garbage in it takes a tenth of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True)
def short_steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused keys are waited for in short steps, but by the tests of just that."""
    if "test_take_equally_long" not in request.node.nodeid:
        monkeypatch.setattr("keyadmin.web.edge.STEP_SECONDS", 0.001)


@pytest.fixture(scope="session", autouse=True)
def one_chain_of_middleware() -> Iterator[None]:
    """All test clients share the middleware that the first one loads: loading it reads every static file.

    Not while a test has settings of its own, which the middleware may read when it is made.
    """
    first = ClientHandler()

    def load(handler: BaseHandler, is_async: bool = False) -> None:
        if not isinstance(vars(settings)["_wrapped"], Settings):
            loaded(handler, is_async)
            return
        if "_middleware_chain" not in vars(first):
            loaded(first)
        vars(handler).update({name: value for name, value in vars(first).items() if name.startswith("_")})

    loaded = BaseHandler.load_middleware
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", load)
        yield
