"""Stored verifiers: published vectors, what verifies and what does not, when one must be made anew."""

import hmac
from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passlib.hash import pbkdf2_sha256 as plain_pbkdf2

from keyadmin.kernel import hashing

PEPPER = bytes(range(32))
SECOND = bytes(range(32, 64))
SECRET = "Zk3vQ0aT9sWmX1nB7cLpR5yU2hGdJ8fE"
# Made once, from RFC 2104 and RFC 8018 with hmac and hashlib alone: rows like these stand in databases.
STORED_HMAC = "$hmac-sha256$k=1$l2M+TqPK1Fv/vitRejgRnHLDvxL6qqV3VqHbYlsPwSA"
STORED_SLOW = "$pbkdf2-hmac-sha256$k=1$1000$AAECAwQFBgcICQoLDA0ODw$dj27Ol/oTifxHc5XqAiSjxidqpDKRK1CXR8Wv7CgibY"

RFC_4231 = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]

secrets_of_people = st.text(max_size=300)


def hasher(scheme: str = "hmac_sha256", rounds: int = 10) -> hashing.KeyHasher:
    return hashing.build_context({1: PEPPER}, scheme=scheme, rounds=rounds)


def hmac_text(secret: str, pepper: bytes = PEPPER) -> str:
    return b64encode(hmac.new(pepper, secret.encode(), "sha256").digest()).decode().rstrip("=")


@pytest.mark.parametrize(("key", "message", "digest"), RFC_4231)
def test_the_fast_hash_is_the_hmac_of_rfc_4231(key: bytes, message: bytes, digest: str) -> None:
    stored: str = hashing.hmac_sha256.using(peppers={1: key}).hash(message)
    assert b64decode(stored.removeprefix("$hmac-sha256$k=1$") + "=").hex() == digest


def test_passlib_gives_its_own_published_string() -> None:
    # The example of passlib's documentation of pbkdf2_sha256
    published = "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44"
    assert plain_pbkdf2.verify("password", published)


@settings(deadline=None)
@given(secrets_of_people, st.integers(1, 50))
def test_the_slow_hash_is_plain_pbkdf2_over_the_hmac(secret: str, rounds: int) -> None:
    stored = hasher("pbkdf2_sha256", rounds).hash(secret)
    assert stored.startswith(f"$pbkdf2-hmac-sha256$k=1${rounds}$")
    plain = stored.replace("$pbkdf2-hmac-sha256$k=1$", "$pbkdf2-sha256$")
    assert plain_pbkdf2.verify(hmac_text(secret), plain)
    ours = plain_pbkdf2.using(rounds=rounds).hash(hmac_text(secret))
    assert hasher().verify(secret, ours.replace("$pbkdf2-sha256$", "$pbkdf2-hmac-sha256$k=1$"))


@pytest.mark.parametrize("stored", [STORED_HMAC, STORED_SLOW])
def test_what_earlier_releases_stored_still_verifies(stored: str) -> None:
    assert hasher().verify(SECRET, stored)
    assert not hasher().verify(SECRET + "x", stored)


def test_the_fast_form_is_exactly_as_documented() -> None:
    assert hasher().hash(SECRET) == STORED_HMAC == f"$hmac-sha256$k=1${hmac_text(SECRET)}"


@settings(deadline=None)
@given(secrets_of_people, secrets_of_people, st.sampled_from(hashing.SCHEMES))
def test_only_the_secret_itself_verifies(secret: str, other: str, scheme: str) -> None:
    stored = hasher().hash(secret, scheme)
    assert hasher().verify(secret, stored)
    assert hasher().verify(other, stored) == (other == secret)


def test_two_slow_hashes_of_a_secret_have_different_salts() -> None:
    assert hasher("pbkdf2_sha256").hash(SECRET) != hasher("pbkdf2_sha256").hash(SECRET)


@pytest.mark.parametrize("scheme", hashing.SCHEMES)
def test_another_pepper_under_the_same_number_refuses(scheme: str) -> None:
    stored = hasher().hash(SECRET, scheme)
    assert not hashing.build_context({1: SECOND}).verify(SECRET, stored)


@pytest.mark.parametrize("scheme", hashing.SCHEMES)
def test_an_unknown_pepper_number_refuses_without_an_error(scheme: str) -> None:
    stored = hashing.build_context({2: PEPPER}, rounds=10).hash(SECRET, scheme)
    assert "$k=2$" in stored
    assert not hasher().verify(SECRET, stored)


@pytest.mark.parametrize("scheme", hashing.SCHEMES)
def test_a_new_pepper_takes_over_and_the_old_one_still_verifies(scheme: str) -> None:
    before = hashing.build_context({1: PEPPER}, scheme=scheme, rounds=10)
    after = hashing.build_context({2: SECOND, 1: PEPPER}, scheme=scheme, rounds=10)
    old, new = before.hash(SECRET), after.hash(SECRET)
    assert "$k=2$" in new
    assert after.verify(SECRET, old)
    assert after.verify(SECRET, new)
    assert (before.needs_update(old), after.needs_update(old), after.needs_update(new)) == (
        False,
        True,
        False,
    )


def test_peppers_of_different_hashers_do_not_mix() -> None:
    first, second = hashing.build_context({1: PEPPER}), hashing.build_context({1: SECOND})
    assert first.verify(SECRET, first.hash(SECRET))
    assert not second.verify(SECRET, first.hash(SECRET))


GARBLED = [
    "",
    "x",
    "$",
    "$hmac-sha256$",
    STORED_HMAC[:-1],
    STORED_HMAC + "=",
    STORED_HMAC + "\n",
    STORED_HMAC.replace("k=1", "k=0"),
    STORED_HMAC.replace("k=1", "k=01"),
    STORED_HMAC.replace("k=1", "k=\N{ARABIC-INDIC DIGIT ONE}"),
    STORED_HMAC.replace("k=1", "k=" + "9" * 5000),
    STORED_HMAC.replace("$hmac", "$HMAC"),
    STORED_SLOW[:-1],
    STORED_SLOW.replace("$1000$", "$$"),
    STORED_SLOW.replace("$1000$", "$0$"),
    STORED_SLOW.replace("$1000$", "$-1$"),
    STORED_SLOW.replace("$1000$", "$01000$"),
    STORED_SLOW.replace("$1000$", "$4294967295$"),
    STORED_SLOW.replace("$1000$", "$4294967296$"),
    STORED_SLOW.replace("AAECAwQFBgcICQoLDA0ODw", "AAECA"),
    STORED_SLOW.replace("AAECAwQFBgcICQoLDA0ODw", ""),
    "$pbkdf2-sha256$10$AAECAwQFBgcICQoLDA0ODw$" + "A" * 43,
    "\udc80",
]


@pytest.mark.parametrize("stored", GARBLED)
def test_a_garbled_verifier_refuses_without_an_error(stored: str) -> None:
    assert not hasher().verify(SECRET, stored)
    assert hasher().needs_update(stored)
    assert hasher("pbkdf2_sha256", 1000).needs_update(stored)


@given(st.text(st.characters()), st.text(st.characters()))
def test_no_text_at_all_raises(secret: str, stored: str) -> None:
    for candidate in (stored, "$hmac-sha256$k=1$" + stored, "$pbkdf2-hmac-sha256$k=1$" + stored):
        assert not hasher().verify(secret, candidate)
        hasher().needs_update(candidate)


def test_a_secret_that_cannot_be_encoded_never_verifies_and_is_not_hashed() -> None:
    assert not hasher().verify("\ud800", STORED_HMAC)
    with pytest.raises(ValueError, match="surrogates"):
        hasher().hash("\ud800")


@pytest.mark.parametrize("place", [len("$hmac-sha256$k=1$") + n for n in (0, 20, 42)])
def test_one_changed_character_of_the_digest_refuses(place: int) -> None:
    changed = STORED_HMAC[:place] + ("A" if STORED_HMAC[place] != "A" else "B") + STORED_HMAC[place + 1 :]
    assert not hasher().verify(SECRET, changed)


def test_other_rounds_or_another_scheme_need_an_update() -> None:
    slow = hasher("pbkdf2_sha256", 20).hash(SECRET)
    fast = hasher().hash(SECRET)
    assert not hasher("pbkdf2_sha256", 20).needs_update(slow)
    assert hasher("pbkdf2_sha256", 21).needs_update(slow)
    assert hasher("pbkdf2_sha256", 19).needs_update(slow)
    assert hasher("pbkdf2_sha256", 20).needs_update(fast)
    assert hasher("hmac_sha256").needs_update(slow)
    assert not hasher("hmac_sha256", 10).needs_update(fast)
    assert not hasher("hmac_sha256", 20).needs_update(fast)


def test_a_record_that_must_stay_slow_is_not_updated_to_the_fast_default() -> None:
    fast_by_default = hasher("hmac_sha256", 20)
    slow = fast_by_default.hash(SECRET, "pbkdf2_sha256")
    assert slow.startswith("$pbkdf2-hmac-sha256$k=1$20$")
    assert not fast_by_default.needs_update(slow, "pbkdf2_sha256")
    assert fast_by_default.needs_update(fast_by_default.hash(SECRET), "pbkdf2_sha256")


def test_it_is_known_which_verifiers_are_slow() -> None:
    assert hasher().is_slow(hasher().hash(SECRET, "pbkdf2_sha256"))
    assert not hasher("pbkdf2_sha256").is_slow(hasher().hash(SECRET))
    assert not hasher().is_slow("")


def test_the_default_number_of_rounds_is_thirty_thousand() -> None:
    assert "$30000$" in hashing.build_context({1: PEPPER}).hash(SECRET, "pbkdf2_sha256")


@pytest.mark.parametrize("rounds", [0, -1, 2**32])
def test_rounds_out_of_range_are_refused(rounds: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 4294967295"):
        hashing.build_context({1: PEPPER}, rounds=rounds)


def test_the_bounds_of_rounds_are_allowed() -> None:
    one = hashing.build_context({1: PEPPER}, rounds=1)
    assert one.verify(SECRET, one.hash(SECRET, "pbkdf2_sha256"))
    most = hashing.build_context({1: PEPPER}, rounds=2**32 - 1)
    assert most.verify(SECRET, most.hash(SECRET))


def test_more_rounds_than_openssl_counts_is_a_clear_refusal() -> None:
    with pytest.raises(ValueError, match="does not count to 4294967295"):
        hashing.build_context({1: PEPPER}, rounds=2**32 - 1).hash(SECRET, "pbkdf2_sha256")


def test_an_unknown_scheme_is_refused_naming_the_known_ones() -> None:
    for attempt in (
        lambda: hashing.build_context({1: PEPPER}, scheme="md5"),
        lambda: hasher().hash(SECRET, "md5"),
        lambda: hasher().needs_update(STORED_HMAC, "md5"),
    ):
        with pytest.raises(ValueError, match=r"'md5' .* hmac_sha256 or pbkdf2_sha256"):
            attempt()


@pytest.mark.parametrize("peppers", [{}, {0: PEPPER}, {-1: PEPPER}, {10**9: PEPPER}, {1: PEPPER[:31]}, {1: b""}])
def test_unusable_peppers_are_refused(peppers: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match=r"[Pp]epper"):
        hashing.build_context(peppers)


def test_later_changes_to_the_given_peppers_change_nothing() -> None:
    peppers = {1: PEPPER}
    built = hashing.build_context(peppers)
    peppers[1] = SECOND
    peppers[2] = SECOND
    assert built.hash(SECRET) == STORED_HMAC


def test_nothing_printed_holds_a_pepper() -> None:
    with pytest.raises(ValueError, match="shorter than 32 bytes") as short:
        hashing.build_context({1: b"a short but secret pepper"})
    assert "secret pepper" not in str(short.value)
    assert repr(PEPPER) not in repr(hasher())
