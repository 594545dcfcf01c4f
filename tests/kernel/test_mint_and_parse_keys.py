"""A minted key has the documented form, and only whole keys with the right checksum are read back."""

import string
from collections import Counter
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel import tokens

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase

prefixes = st.from_regex(r"[a-z][a-z0-9]{0,15}", fullmatch=True)
environments: st.SearchStrategy[tokens.Environment] = st.sampled_from(["live", "test"])
any_text = st.text(st.characters())  # lone surrogates too


def crc32_bit_by_bit(data: bytes) -> int:
    """CRC-32/ISO-HDLC from its definition, independent of zlib."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def base62_value(text: str) -> int:
    value = 0
    for character in text:
        value = value * 62 + BASE62.index(character)
    return value


def test_the_crc_of_this_test_gives_the_published_check_value() -> None:
    assert crc32_bit_by_bit(b"123456789") == 0xCBF43926


@given(prefixes, environments)
def test_a_minted_key_has_the_documented_form(prefix: str, environment: tokens.Environment) -> None:
    token = tokens.mint(prefix, environment)
    assert (len(token.token_id), len(token.secret), len(token.checksum)) == (12, 32, 6)
    assert set(token.token_id + token.secret + token.checksum) <= set(BASE62)
    assert token.text == f"{prefix}_{environment}_{token.token_id}{token.secret}{token.checksum}"
    assert base62_value(token.checksum) == crc32_bit_by_bit(token.text[:-6].encode())


@given(prefixes, environments)
def test_a_minted_key_is_read_back(prefix: str, environment: tokens.Environment) -> None:
    token = tokens.mint(prefix, environment)
    assert tokens.parse(token.text) == token


def test_every_character_is_as_likely_as_the_others() -> None:
    counts = Counter("".join(t.token_id + t.secret for t in (tokens.mint("ka", "live") for _ in range(2000))))
    expected = 2000 * 44 / 62
    assert set(counts) == set(BASE62)
    # 7 standard deviations: a false alarm in 10**10 runs; a byte modulo 62 would be 8 deviations off
    assert all(abs(count - expected) < 7 * expected**0.5 for count in counts.values())


def test_no_two_keys_are_alike() -> None:
    minted = [tokens.mint("ka", "test") for _ in range(1000)]
    assert len({token.token_id for token in minted}) == len({token.secret for token in minted}) == 1000


@pytest.mark.parametrize("prefix", ["", "Ka", "1ka", "k_a", "ka\n", "k" * 17, "kä"])
def test_a_prefix_that_could_not_be_read_back_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        tokens.mint(prefix, "live")


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(ValueError, match="live or test"):
        tokens.mint("ka", cast(tokens.Environment, "prod"))


@given(st.integers(0, 57), st.sampled_from(BASE62))
def test_one_wrong_character_is_noticed(place: int, character: str) -> None:
    text = tokens.mint("ka", "live").text
    mistyped = text[:place] + character + text[place + 1 :]
    assert (tokens.parse(mistyped) is None) == (mistyped != text)


@given(st.integers(8, 56))
def test_two_swapped_characters_are_noticed(place: int) -> None:
    text = tokens.mint("ka", "live").text
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert (tokens.parse(swapped) is None) == (swapped != text)


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", '"{}"', "{}0", "0{}", "Bearer {}", "{}\0", "{0}{0}"])
def test_a_key_with_anything_around_it_is_not_a_key(around: str) -> None:
    assert tokens.parse(around.format(tokens.mint("ka", "live").text)) is None


def test_look_alike_digits_of_other_scripts_are_not_base62() -> None:
    text = tokens.mint("ka", "live").text
    for place in range(8, len(text)):
        assert tokens.parse(text[:place] + "\N{ARABIC-INDIC DIGIT ONE}" + text[place + 1 :]) is None


@pytest.mark.parametrize("head", ["KA_live", "ka_LIVE", "ka_prod", "_live", "k" * 17 + "_live", "ka-live"])
def test_another_head_is_not_ours_even_with_a_right_checksum(head: str) -> None:
    body = f"{head}_{'0' * 12}{'A' * 32}"
    number, checksum = crc32_bit_by_bit(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        checksum = BASE62[digit] + checksum
    assert tokens.parse(body + checksum) is None


@given(any_text)
def test_reading_never_raises(text: str) -> None:
    assert tokens.parse(text) is None
    assert tokens.parse("ka_live_" + text) is None


def test_a_small_checksum_is_padded_with_zeros() -> None:
    # About one in 290 CRC32 values lies under 62 ** 4
    token = next(t for t in iter(lambda: tokens.mint("ka", "live"), None) if t.checksum.startswith("00"))
    assert len(token.text) == 58
    assert tokens.parse(token.text) == token


def test_nothing_printed_holds_the_secret() -> None:
    token = tokens.mint("ka", "live")
    for shown in (repr(token), str(token), f"{token}", repr([token]), token.masked):
        assert token.secret not in shown
        assert token.secret[:6] not in shown
        assert token.token_id in shown


def test_the_masked_form_is_token_id_and_last_four() -> None:
    assert tokens.masked("ka", "live", "8f3kQ2mZp0Xa", "9t0w") == "ka_live_8f3kQ2mZp0Xa...9t0w"
    token = tokens.mint("ka", "test")
    assert token.masked == f"ka_test_{token.token_id}...{token.text[-4:]}"
    assert token.tail == token.text[-4:]
