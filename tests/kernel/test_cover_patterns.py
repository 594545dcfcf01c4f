"""The algebra of patterns, against the plain meaning of a pattern: the set of names it contains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS, Held, Rights, covers, is_pattern, reduced

NAMES = ("a", "a.b", "a.b.c", "a.bc", "ab", "ab.c", "org.view", "org.create", "sensor.task", "sensor.list")
PATTERNS = ("*", "a", "a.*", "a.b", "a.b.*", "a.b.c", "ab", "ab.*", "org.*", "org.view", "sensor.*", "sensor.task")
patterns = st.sets(st.sampled_from(PATTERNS))
names = st.sampled_from(NAMES)


def contains(pattern: str, name: str) -> bool:
    """What product texts say a pattern means, written out."""
    if name in INSTANCE_PERMISSIONS:
        return pattern == name
    return pattern in ("*", name) or (pattern.endswith(".*") and name.startswith(pattern[:-1]))


@given(patterns, names)
def test_rights_allow_what_a_pattern_contains(held: set[str], name: str) -> None:
    assert Rights(frozenset(held)).allows(name) == any(contains(p, name) for p in held)


@given(st.sampled_from(PATTERNS), st.sampled_from(PATTERNS), names)
def test_a_covering_pattern_contains_all_names_of_the_covered(wide: str, narrow: str, name: str) -> None:
    if covers(wide, narrow) and contains(narrow, name):
        assert contains(wide, name)


@given(patterns, patterns, names)
def test_narrowing_is_the_intersection(held: set[str], by: set[str], name: str) -> None:
    both = Rights(frozenset(held)).narrowed(by)
    assert both.allows(name) == (Rights(frozenset(held)).allows(name) and Rights(frozenset(by)).allows(name))


@given(patterns, names)
def test_reducing_changes_no_rights(held: set[str], name: str) -> None:
    assert Rights(reduced(held)).allows(name) == Rights(frozenset(held)).allows(name)


@given(patterns, patterns)
def test_first_missing_is_none_exactly_if_all_are_held(held: set[str], wanted: set[str]) -> None:
    rights = Rights(frozenset(held))
    missing = rights.first_missing(wanted)
    assert (missing is None) == all(rights.allows(p) for p in wanted)
    assert missing is None or (missing in wanted and not rights.allows(missing))


@pytest.mark.parametrize("name", sorted(INSTANCE_PERMISSIONS))
@pytest.mark.parametrize("pattern", ["*", "org.*", "setting.*", "sitekey.*", "permission.*"])
def test_no_pattern_contains_an_instance_permission(pattern: str, name: str) -> None:
    assert not Rights(frozenset({pattern})).allows(name)


@pytest.mark.parametrize("text", ["*", "a", "a.*", "view_customer", "output.x1.*"])
def test_shapes_that_are_patterns(text: str) -> None:
    assert is_pattern(text)


@pytest.mark.parametrize(
    "text", ["", "A", "a.", ".a", "a..b", "a*", "*.a", "**", ".*", "a.*.*", "é", "a b", "a\n", "1a"]
)
def test_shapes_that_are_not(text: str) -> None:
    assert not is_pattern(text)


def test_a_suspended_organisation_is_out_of_reach() -> None:
    held = Held({1: Rights(frozenset({"*"})), 2: Rights(frozenset({"a"}))}, suspended=frozenset({1}))
    assert not held.reaches(1)
    assert held.allowing("a") == frozenset({2})
    assert not held.allows("b")
