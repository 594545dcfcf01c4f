"""Requests as gateways send them, answered in this process."""

import threading

from keyadmin.freshness import services as freshness
from keyadmin.verify import fastpath
from keyadmin.verify.fastpath import Asked, Reply
from keyadmin.verify.question import Question

HERE = "203.0.113.7"


def settled() -> None:
    """What the edge does before it answers: after that a change is known everywhere."""
    threading.Event().wait(freshness.unsettled())


def asked(secret: str, query: str = "", address: str = HERE) -> Asked:
    """One request for `/verify`."""
    return Asked(secret, "", Question(query), address, "GET", "/verify", "", "req_test")


def answer(one: Asked) -> Reply:
    """As `serve` answers, once what this thread changed is known."""
    settled()
    return fastpath.from_memory(one) or fastpath.looked_up(one)


def headers(reply: Reply) -> dict[str, str]:
    """The headers by their names."""
    lines = reply.lines.decode("latin-1").split("\r\n")[:-1]
    return dict(line.split(": ", 1) for line in lines)
