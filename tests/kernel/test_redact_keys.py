"""A whole key inside a text is noticed and masked, also percent-encoded; other text is left as it is."""

from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel import tokens
from keyadmin.kernel.text import kept_line


def encode_everything(text: str) -> str:
    return "".join(f"%{ord(character):02x}" for character in text)


def encode_underscores(text: str) -> str:
    return text.replace("_", "%5F")


def encode_twice(text: str) -> str:
    return quote(encode_everything(text))


def as_it_is(text: str) -> str:
    return text


ENCODINGS = [as_it_is, encode_underscores, encode_everything, encode_twice]
AROUND = [
    "{}",
    "  {}\n",
    '"{}"',
    "'{}'",
    "GET /keys?q={}&page=2",
    "X-API-KEY:{}",
    "xyz{}",
    "{}xyz",
    "é{}é",
    "_{}_",
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("around", AROUND)
def test_a_key_in_a_text_is_noticed_and_masked(around: str, encoding: Callable[[str], str]) -> None:
    token = tokens.mint("ka", "live")
    text = around.format(encoding(token.text))
    assert tokens.looks_like_key(text)
    redacted = unquote(unquote(tokens.redact(text)))
    assert redacted == around.format(token.masked)
    assert token.masked.removeprefix("ka") in tokens.redact(text)  # plain, whatever it was encoded in
    assert not tokens.looks_like_key(tokens.redact(text))


def test_every_key_of_a_text_is_masked() -> None:
    first, second = tokens.mint("ka", "live"), tokens.mint("acme", "test")
    assert tokens.redact(f"{first.text},{second.text}") == f"{first.masked},{second.masked}"
    assert tokens.redact(first.text + second.text) == first.masked + second.masked


@given(st.integers(0, 57))
def test_a_cut_off_key_does_not_hide_the_whole_one_behind_it(length: int) -> None:
    cut, whole = tokens.mint("ka", "live").text[:length], tokens.mint("ka", "live")
    redacted = tokens.redact(cut + whole.text)
    assert whole.secret not in redacted
    assert whole.secret[6:] not in redacted


def test_a_mistyped_key_is_masked_too() -> None:
    token = tokens.mint("ka", "live")
    mistyped = token.text[:-1] + ("a" if token.text[-1] != "a" else "b")
    assert tokens.parse(mistyped) is None
    assert tokens.looks_like_key(mistyped)
    assert token.secret not in tokens.redact(mistyped)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ka_live_8f3kQ2mZp0Xa...9t0w",
        "orchestration-key[bulk]",
        "ka_live_8f3kQ2mZp0Xa",
        "ka_live_" + "a" * 49,
        "ka_prod_" + "a" * 50,
        "ka_live_" + "a" * 25 + " " + "a" * 25,
        "%5F%25%zz%",
        "GET /api/v1/verify 200 0.9ms",
    ],
)
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert not tokens.looks_like_key(text)
    assert tokens.redact(text) == text


@given(st.text(st.characters()), st.text(st.characters()))
def test_whatever_stands_around_it_the_secret_does_not_get_through(before: str, after: str) -> None:
    token = tokens.mint("ka", "test")
    text = before + token.text + after
    assert tokens.looks_like_key(text)
    assert token.secret not in tokens.redact(text)
    assert tokens.redact(tokens.redact(text)) == tokens.redact(text)


@pytest.mark.parametrize("unit", ["_live_", "%25", "%5f", "_live_" + "a" * 49 + "-", "a", "ka_live_0", "%2525"])
def test_a_hostile_text_is_searched_in_linear_time(unit: str) -> None:
    # 1 MB takes well under a second; anything quadratic would not end within this suite's life
    text = unit * (1_000_000 // len(unit))
    assert not tokens.looks_like_key(text)
    assert tokens.redact(text) == text


@pytest.mark.parametrize("encoding", [*ENCODINGS, lambda text: quote(quote(encode_twice(text)))])
def test_no_key_is_kept_wherever_a_long_text_is_cut(encoding: Callable[[str], str]) -> None:
    token = tokens.mint("ka", "live")
    whole, part = encoding(token.text), encoding(token.secret[:8])
    for longest in (20, 300):
        read = 10 * longest + tokens.LONGEST_FORM
        # Masked keys leave room for what stands at the end of what is looked at: half a key.
        halved = (whole * n + " " * (read - n * len(whole) - len(whole) // 2) for n in range(8))
        befores = ("", "x" * (longest - 10), " " * (10 * longest - 10), *(whole * n for n in range(20)), *halved)
        for before in befores:
            for after in ("", "y" * 30_000, whole * 100):
                kept = kept_line(before + whole + after, longest)
                assert len(kept) <= longest
                assert part not in kept


def test_of_a_long_text_the_beginning_is_kept() -> None:
    assert kept_line("word " * 10_000, 300) == ("word " * 60)
    assert kept_line("a\x1b[31m\u202eb" + "c" * 50_000, 20) == "a\\x1b[31m\\u202ebccccc"[:20]
    assert tokens.LONGEST_FORM == 504
