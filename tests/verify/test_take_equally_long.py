"""R13: how long the answer to an unknown key takes is how long that to a wrong secret does.

That the answers are the same to the letter is tested in tests/api/test_refuse_credentials and test_answer_gateways.
"""

import asyncio
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from keyadmin.kernel import tokens
from keyadmin.keys.models import APIKey
from keyadmin.verify import fastpath, lookup
from tests.world import World

AT_ONCE = 8
KEYS = 20  # of each kind


def welch(one: list[float], other: list[float]) -> float:
    """Welch's t of two samples, as TVLA has it (Goodwill et al. 2011): above 4.5 they are told apart."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.fmean(one) - statistics.fmean(other)) / math.sqrt(spread)


def some_wrong(world: World) -> list[str]:
    """Keys whose id is known, with another secret than was issued."""
    wrong = [tokens.mint("ka", "live") for _ in range(KEYS)]
    for made in wrong:
        APIKey.objects.filter(pk=world.key().key.pk).update(token_id=made.token_id)
    return [made.text for made in wrong]


def test_an_id_that_is_known_asks_the_database_no_more(
    world: World, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    """The rights of its owner, say, are looked up once the secret has matched."""
    unknown, wrong = (tokens.mint("ka", "live") for _ in range(2))
    key = world.user_key(world.admin).key
    APIKey.objects.filter(pk=key.pk).update(token_id=wrong.token_id)
    for minted, key_id in ((unknown, None), (wrong, key.pk)):
        token = tokens.parse(minted.text)
        assert token is not None
        with django_assert_num_queries(2):
            facts = lookup.find(token)
        assert (facts and facts.key_id) == key_id
        assert facts is None or not facts.secret_matches


async def measured(secret: str, number: int) -> float:
    """Seconds from a request to the beginning of its answer. Each comes from an address of its own."""
    answered: list[tuple[float, int]] = []

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            answered.append((time.perf_counter(), int(str(message["status"]))))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/verify",
        "query_string": b"",
        "headers": [(b"x-api-key", secret.encode())],
        "client": (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 1),
    }
    began = time.perf_counter()
    await fastpath.serve(scope, send)
    ((at, status),) = answered
    assert status == 401
    return at - began


async def all_measured(secrets: Sequence[list[str]], times: int) -> list[list[float]]:
    """So many of each kind, in an order that is drawn, a few at the same time."""
    kinds = [kind for kind in range(len(secrets)) for _ in range(times)]
    random.shuffle(kinds)
    found: list[list[float]] = [[] for _ in secrets]
    waiting = iter(enumerate(kinds))

    async def work() -> None:
        for number, kind in waiting:
            found[kind].append(await measured(random.choice(secrets[kind]), number))

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return found


def test_unknown_and_wrong_take_equally_long(lasting_world: World, soak: bool, report: Callable[[str], None]) -> None:
    kinds = [tokens.mint("ka", "live").text for _ in range(KEYS)], some_wrong(lasting_world)
    asyncio.run(all_measured(kinds, 50))  # what is made at the first use
    unknown, wrong = asyncio.run(all_measured(kinds, 100_000 if soak else 50))
    t = welch(unknown, wrong)
    means = statistics.fmean(unknown) * 1e6, statistics.fmean(wrong) * 1e6
    report(f"R13: unknown {means[0]:.1f} us, wrong {means[1]:.1f} us, Welch t {t:.2f} of {len(unknown)} each")
    if soak:
        assert abs(t) < 4.5
