"""Secrets made elsewhere: which may be entered, how strong they look, and by what they are found."""

import secrets
import uuid

import pytest

from keyadmin.kernel import given, tokens
from keyadmin.kernel.errors import InvalidError
from keyadmin.kernel.given import bits, bucket, check, could_be, tail

RANDOM = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg"
OURS = "ka_live_" + "0" * 12 + "a" * 32 + "000000"


def refusal(text: str, shortest: int = 16) -> str:
    with pytest.raises(InvalidError) as caught:
        check(text, shortest)
    (said,) = caught.value.errors["api_key"]
    return said


@pytest.mark.parametrize("text", [RANDOM, "a" * 16, "0" * 256, "._~-" * 4, str(uuid.UUID(int=7))])
def test_any_text_of_the_alphabet_may_be_entered(text: str) -> None:
    check(text, 16)
    assert could_be(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"{RANDOM} x", "space"),
        (f"{RANDOM}/x", "“/”"),
        (f"{RANDOM}é", "U+00E9"),
        (f"{RANDOM}\n", "line break"),
        (f"{RANDOM}\0", "U+0000"),
        ("٣" * 20, "U+0663"),
        (f"\ud800{RANDOM}", "U+D800"),
    ],
)
def test_another_character_is_named(text: str, named: str) -> None:
    assert f"The character {named} can't be used" in refusal(text)
    assert not could_be(text)


def test_the_length_is_bounded_and_may_be_demanded() -> None:
    assert "At least 16 characters; these are 15." in refusal("x" * 15)
    assert "At least 16 characters; these are 0." in refusal("")
    assert "At most 256 characters; these are 257." in refusal("x" * 257)
    assert "At least 32 characters; these are 31." in refusal("x" * 31, shortest=32)
    assert not could_be("x" * 15)
    assert not could_be("x" * 257)


def test_a_key_in_our_own_form_is_refused_whatever_its_checksum() -> None:
    for text in (tokens.mint("ka", "live").text, tokens.mint("other", "test").text, OURS):
        assert "Generate one instead" in refusal(text)
        assert not could_be(text)
    assert could_be(f"{OURS}0"), "longer than ours: another system's"


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (str(uuid.UUID("3f2b8c1e-9a47-4d60-b5f8-7e1c0a92d46b")), 112, 128),
        ("9f86d081884c7d659a2feaa0c55ad015", 112, 128),
        (RANDOM, 112, 190),
        ("83650917426198354072", 50, 67),
        ("correct-horse-battery-staple", 40, 60),
        ("CorrectHorseBatteryStapleAgain2024", 40, 100),
        ("passwordpassword", 0, 30),
        ("a" * 256, 0, 30),
        ("01" * 100, 0, 30),
        ("0123456789abcdef" * 4, 0, 30),
        ("._~-" * 8, 0, 0),
    ],
)
def test_the_estimate_is_rather_too_low(text: str, least: int, most: int) -> None:
    assert least <= bits(text) <= most


def test_random_secrets_of_enough_bits_are_strong() -> None:
    assert all(given.is_strong(secrets.token_urlsafe(32)) for _ in range(200))
    weak = sum(not given.is_strong(secrets.token_hex(16)) for _ in range(200))
    assert weak < 20, "a word or a row by chance"


def test_only_a_strong_one_shows_its_end() -> None:
    assert tail(RANDOM) == "f1Jg"
    assert tokens.masked_given(tail(RANDOM)) == "...f1Jg"
    assert tail("correct-horse-battery-staple") == ""


def test_the_bucket_has_forty_bits_and_depends_on_its_key() -> None:
    one, other = b"k" * 32, b"l" * 32
    found = {bucket(one, f"{RANDOM}{n}") for n in range(500)}
    assert len(found) == 500
    assert max(found) < 2**40
    assert max(found) > 2**39
    assert bucket(one, RANDOM) == bucket(one, RANDOM) != bucket(other, RANDOM)
