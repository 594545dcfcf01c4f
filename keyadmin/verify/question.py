"""What a gateway asks about a key: read from the query of its request, so that no client of it can ask for less."""

from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from keyadmin.kernel import patterns
from keyadmin.kernel.errors import BadRequestError
from keyadmin.verify import lookup
from keyadmin.verify.decide import Ask

LONGEST_QUERY: Final = 4000
LONGEST_REMEMBERED: Final = 500
MOST_PARAMETERS: Final = 100
OURS: Final = frozenset({"permission", "any", "organization", "environment"})
DEMANDS: Final = frozenset({"permission", "any"})
END: Final = "end"
_BEFORE_END: Final = f"&{END}"
CLIENT_DEMANDS: Final = "client"
DISAGREEING: Final = "disagreeing"


class Question(NamedTuple):
    """All that is asked about a key but the address: two equal ones have the same answer until something changes.

    `organization` is the header X-Organization. `doubt` is CLIENT_DEMANDS where the client's own query names
    permissions, DISAGREEING where the headers about its request contradict each other, else empty.
    """

    query: str
    organization: str = ""
    doubt: str = ""

    @property
    def is_short(self) -> bool:
        """Whether its answer may be remembered."""
        return len(self.query) + len(self.organization) <= LONGEST_QUERY


def client_demands(query: str) -> bool:
    """Whether the query of the client's own request holds a parameter that says which permissions are needed.

    One that is too long to be read is supposed to.
    """
    if len(query) > LONGEST_REMEMBERED:
        return len(query) > LONGEST_QUERY or _demands(query)
    return _remembered_demands(query)


def _demands(query: str) -> bool:
    try:
        return any(name in DEMANDS for name, _ in _pairs(query))
    except BadRequestError:
        return True  # it is safer to suppose so


_remembered_demands = lru_cache(maxsize=4096)(_demands)


def ask_of(question: Question, address: str) -> Ask:
    """What is asked, of a client at `address`. Raises BadRequestError for what a gateway can't have meant.

    Caddy and Envoy put the client's query behind the gateway's. It never asks for less than the gateway did:
    - nothing is read from the parameter `end` on, with which the recipes close what they ask; what stands before it
      is the gateway's alone, so that a parameter that is none of ours is a mistake there;
    - without it, a second organisation or environment is refused, and another permission only adds to what is needed,
    - except under `any`, which therefore does not count (all permissions are needed) where the client could have
      written it or one of the permissions: where its own query, as the gateway reports it, names either, or where
      either stands behind a parameter that is none of ours. What a client makes up there can only ask for more.
    """
    is_short = len(question.query) + len(question.organization) <= LONGEST_REMEMBERED
    organization, wanted = (_remembered if is_short else _read)(question)
    return wanted._replace(address=address, organization_id=lookup.organization_id_meant(organization))


def _read(question: Question) -> tuple[str, Ask]:
    """The organisation that is named, and the rest of what is asked."""
    if question.doubt == DISAGREEING:
        raise BadRequestError("The headers X-Forwarded-... and X-Original-... disagree about the client's request.")
    own, is_closed = _own_part(question.query)
    if len(own) > LONGEST_QUERY:
        raise BadRequestError("The query is too long.")
    wanted: dict[str, list[str]] = {}
    doubtful, foreign = question.doubt == CLIENT_DEMANDS and not is_closed, False
    for name, value in _pairs(own):
        if is_closed and name not in OURS:
            raise _unknown(name)
        wanted.setdefault(name, []).append(value)
        doubtful |= foreign and name in DEMANDS
        foreign |= name not in OURS
    permissions = tuple(dict.fromkeys(wanted.get("permission", ())))
    if not all(map(patterns.is_name, permissions)):
        raise BadRequestError("?permission= takes the name of a permission.")
    header = [question.organization] if question.organization else []
    named = _single([*wanted.get("organization", []), *header], "organization", "an oid or slug")
    return named, Ask(
        "",
        permissions=permissions,
        any_permission=_single(wanted.get("any", []), "any", "0 or 1", {"0", "1"}) == "1" and not doubtful,
        environment=_single(wanted.get("environment", []), "environment", "live or test", {"live", "test"}),
    )


_remembered = lru_cache(maxsize=1024)(_read)


def up_to_end(query: str) -> str:
    """The query without what follows the name of the parameter `end`: it asks the same."""
    at = _place_of_end(query)
    return query if at < 0 else query[: at + len(END)]


def _own_part(query: str) -> tuple[str, bool]:
    """The query up to the parameter `end`, and whether that is there."""
    at = _place_of_end(query)
    return (query, False) if at < 0 else (query[: max(at - 1, 0)], True)


def _place_of_end(query: str) -> int:
    """Where the name of the parameter `end` begins; -1: it is not there. Several times as fast as a pattern."""
    whole = f"&{query}"
    at = whole.find(_BEFORE_END)
    while at >= 0 and whole[at + len(_BEFORE_END) :][:1] not in ("", "=", "&"):
        at = whole.find(_BEFORE_END, at + 1)
    return at


def _unknown(name: str) -> BadRequestError:
    """The refusal of a parameter, which is not repeated: it could be anything."""
    similar = get_close_matches(name[:50].lower(), sorted(OURS), n=1)
    hint = f"did you mean {similar[0]}?" if similar else f"known are {', '.join(sorted(OURS))}."
    return BadRequestError(f"A parameter before `{END}` is unknown: {hint}")


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="strict")
    except ValueError:
        raise BadRequestError("The query can't be read.") from None


def _single(values: list[str], name: str, takes: str, possible: Collection[str] = ()) -> str:
    """The one value, empty without any. An empty one is a mistake: what a gateway fills in may turn out to be empty."""
    found = {value.strip().lower() for value in values}
    if len(found) > 1:
        raise BadRequestError(f"{name} is given twice, with different values.")
    if "" in found or (possible and not found <= set(possible)):
        raise BadRequestError(f"?{name}= takes {takes}.")
    return found.pop() if found else ""
