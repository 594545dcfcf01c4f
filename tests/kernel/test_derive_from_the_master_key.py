"""What the master key accepts as its text, and the keys derived from it (HKDF-SHA256, RFC 5869)."""

import hmac
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel.master import Master, MasterKeyError

KEY = bytes(range(200, 232))
MASTER = Master(KEY)
keys = st.binary(min_size=32, max_size=32)

# RFC 5869, appendices A.1 to A.3: key material, salt, info, length, output
RFC_5869 = [
    (
        b"\x0b" * 22,
        bytes(range(0x0D)),
        bytes(range(0xF0, 0xFA)),
        42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        82,
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


def hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, 2.2 and 2.3, from its text: the reference for `derive`, whose info can't be chosen freely."""
    extracted = hmac.new(salt or bytes(32), key, "sha256").digest()
    output, block, count = b"", b"", 0
    while len(output) < length:
        count += 1
        block = hmac.new(extracted, block + info + bytes([count]), "sha256").digest()
        output += block
    return output[:length]


@pytest.mark.parametrize(("key", "salt", "info", "length", "output"), RFC_5869)
def test_the_reference_of_this_test_gives_the_published_vectors(
    key: bytes, salt: bytes, info: bytes, length: int, output: str
) -> None:
    assert hkdf(key, salt, info, length).hex() == output


@given(keys, st.text(min_size=1), st.integers(1, 200))
def test_a_derived_key_is_hkdf_of_the_purpose(key: bytes, purpose: str, length: int) -> None:
    assert Master(key).derive(purpose, length) == hkdf(key, b"", b"keyadmin/" + purpose.encode(), length)


def test_a_derived_key_has_32_bytes_unless_told_otherwise() -> None:
    assert len(MASTER.derive("cursors")) == 32


@pytest.mark.parametrize(("purpose", "length"), [("", 32), ("a", 0), ("a", -1), ("a", 8161)])
def test_no_purpose_or_an_impossible_length_is_refused(purpose: str, length: int) -> None:
    with pytest.raises(ValueError, match=r"purpose|at least one byte|[Cc]annot derive"):
        MASTER.derive(purpose, length)


def test_derived_keys_stay_what_they_were() -> None:
    # What is stored anywhere hangs on these three: a change here locks every installation out.
    assert MASTER.fingerprint == hkdf(KEY, b"", b"keyadmin/fingerprint", 16).hex()
    assert MASTER.peppers(2) == {
        1: hkdf(KEY, b"", b"keyadmin/pepper/1", 32),
        2: hkdf(KEY, b"", b"keyadmin/pepper/2", 32),
    }
    assert MASTER.peppers() == {1: MASTER.peppers(5)[1]}


@given(keys, keys)
def test_the_fingerprint_tells_keys_apart(first: bytes, second: bytes) -> None:
    assert (Master(first).fingerprint == Master(second).fingerprint) == (first == second)


@given(keys)
def test_every_usual_base64_spelling_is_the_same_key(key: bytes) -> None:
    for text in (b64encode(key).decode(), urlsafe_b64encode(key).decode()):
        for spelling in (text, text.rstrip("="), f"  {text}\n"):
            assert Master.from_base64(spelling) == Master(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "correct horse battery staple",
        b64encode(bytes(31)).decode(),
        b64encode(bytes(33)).decode(),
        bytes(32).hex(),
        b64encode(bytes(32)).decode() + "=",
        b64encode(bytes(32)).decode()[:20] + "\n" + b64encode(bytes(32)).decode()[20:],
        b64encode(bytes(32)).decode()[:-2] + "é=",
        "\ud800" * 43,
    ],
)
def test_anything_else_is_refused_in_one_line_that_does_not_echo_it(text: str) -> None:
    with pytest.raises(MasterKeyError) as refusal:
        Master.from_base64(text)
    assert "base64 of 32 bytes" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not text.strip() or text[:20] not in str(refusal.value)


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(MasterKeyError, match="32 bytes"):
        Master(bytes(16))


def test_nothing_printed_shows_the_key() -> None:
    for shown in (repr(MASTER), str(MASTER), f"{[MASTER]}"):
        assert repr(KEY)[2:12] not in shown
        assert KEY.hex() not in shown
        assert "Master()" in shown
