"""What a gateway's query asks: up to `end`, where its own mistakes are named; long texts fill no memory."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from keyadmin.kernel.errors import BadRequestError
from keyadmin.verify import fastpath, question
from keyadmin.verify.decide import Ask
from keyadmin.verify.question import Question, ask_of, client_demands, up_to_end
from keyadmin.web import edge

PART = st.sampled_from(
    [
        *("end", "end=", "end=1", "END", "%65nd", "ending", "xend=1", "end;", "end\n", "", "=", "end=end"),
        *("permission=a.b", "permission=c.d", "permission", "any=1", "any=0", "environment=live", "page=2", "%ff=%ff"),
    ]
)
QUERIES = st.lists(PART | st.text("end=&%p\n", max_size=8), max_size=8).map("&".join)


def asked(query: str, doubt: str = "") -> Ask | str:
    """What is asked, or why it can't be."""
    try:
        return ask_of(Question(query, doubt=doubt), "203.0.113.7")
    except BadRequestError as error:
        return error.detail


def cut_by_parts(query: str) -> str:
    """The same by hand: the parts up to the first whose name is exactly `end`."""
    kept: list[str] = []
    for part in query.split("&"):
        if part.partition("=")[0] == "end":
            return "&".join([*kept, "end"])
        kept.append(part)
    return query


@given(QUERIES, st.sampled_from(["", question.CLIENT_DEMANDS, question.DISAGREEING]))
def test_what_is_cut_off_changes_nothing(query: str, doubt: str) -> None:
    assert up_to_end(query) == cut_by_parts(query)
    assert asked(up_to_end(query), doubt) == asked(query, doubt)


def test_requests_that_differ_behind_end_ask_the_same_question() -> None:
    queries = (
        b"permission=view_customer&end",
        b"permission=view_customer&end&a=1",
        b"permission=view_customer&end=/a?b",
    )
    assert len({fastpath.asked_by("GET", "/verify", query, [], "127.0.0.1").question for query in queries}) == 1


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("organisation=acme&end", "did you mean organization?"),
        ("permission=view_customer&organisation=acme&end&x=1", "did you mean organization?"),
        ("permissions=view_customer&end=", "did you mean permission?"),
        ("Environment=live&end", "did you mean environment?"),
        ("zzz=1&end", "known are any, environment, organization, permission"),
    ],
)
def test_what_a_gateway_misspells_before_end_is_named(query: str, meant: str) -> None:
    assert meant in str(asked(query))


def test_without_end_an_unknown_parameter_can_be_the_clients() -> None:
    assert asked("permission=view_customer&organisation=acme") == asked("permission=view_customer")


def test_the_answer_to_a_long_question_is_not_remembered() -> None:
    assert Question("a" * 4000).is_short
    assert not Question("a" * 4001).is_short
    assert not Question("", "\xa0" * 5000).is_short


def test_a_long_query_of_a_client_is_supposed_to_demand_and_fills_no_memory() -> None:
    held = question._remembered_demands.cache_info().currsize
    assert not client_demands("x" * 3999)
    assert client_demands("x" * 3000 + "&any=1")
    assert client_demands("x" * 4001)
    assert question._remembered_demands.cache_info().currsize == held


def test_a_long_question_fills_no_memory(db: None) -> None:
    held = question._remembered.cache_info().currsize
    for long in (Question("permission=a.b&x=" + "a" * 600), Question("permission=a.b&x=7", "acme" * 7000)):
        ask_of(long, "203.0.113.7")
    assert question._remembered.cache_info().currsize == held
    ask_of(Question("permission=a.b&x=8"), "203.0.113.7")
    assert question._remembered.cache_info().currsize == held + 1


def test_the_header_of_a_peer_that_is_not_believed_fills_no_memory(settings: Settings) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, trusted_proxies=("127.0.0.2/32",))
    held = edge._remembered_client.cache_info().currsize
    for claim in ("203.0.113.9", "x" * 30_000):
        assert edge.peer("127.0.0.9", claim) == edge.Peer("127.0.0.9", is_trusted=False)
    assert edge.peer("127.0.0.2", "x" * 30_000 + ",203.0.113.9") == edge.Peer("203.0.113.9", is_trusted=True)
    assert edge._remembered_client.cache_info().currsize == held
    assert edge.peer("127.0.0.2", "198.51.100.77") == edge.Peer("198.51.100.77", is_trusted=True)
    assert edge.peer("127.0.0.2", "") == edge.Peer("127.0.0.2", is_trusted=True)
