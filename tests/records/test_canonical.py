"""Canonical text is what RFC 8785's own library makes of it, byte for byte, or the same refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shinrai.records import canonical_text

# Characters where orders or escapes differ: controls, quotes, the ends of the planes, half characters, and digits and
# points that make a string look like a number.
CHARACTERS = st.characters() | st.sampled_from('\x00\x1f\x7f"\\/\b,:.0e-1\u2028\ud7ff\ue000\uffff\U00010000\U0010ffff')
WHOLE = st.text(CHARACTERS, max_size=8).map(lambda text: text.encode("utf-8", "ignore").decode())
HALVES = st.text(st.sampled_from("a\ud83d\ude00\udfff"), max_size=4)
INTEGERS = st.integers() | st.integers(-(2**54), 2**54) | st.integers(10**14, 10**17) | st.just(10**400)
FLOATS = st.floats() | st.builds(lambda digits, power: float(f"{digits}e{power}"), INTEGERS, st.integers(-330, 310))
LOOKALIKES = st.sampled_from(["1.0,", "2.0}", "3.0]", "[1e16,", ":1234567890123456789,", "-0.0,", "0.0"])


def values(texts: st.SearchStrategy[str], numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | numbers | texts | LOOKALIKES,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | LOOKALIKES, inner, max_size=4),
        max_leaves=12,
    )


SAFE = st.integers(-(2**53) + 1, 2**53 - 1) | FLOATS.filter(lambda value: value - value == 0)


@settings(max_examples=600, deadline=None)
@given(values(WHOLE, SAFE), st.booleans(), st.sampled_from([None, 1]))
@example(value={"\ue000": 1, "\U00010000": 2}, escaped=False, indent=None)
@example(value=[2.0**53, 1e16, 1e21, 1e-6, 1e-7, 9.5e-6, 5e-324, -0.0, 1.0], escaped=True, indent=None)
@example(value=["x1.0,", 1.0], escaped=True, indent=None)
def test_what_has_a_canonical_form_gets_it(value: Any, escaped: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()
    assert canonical_text(text) == rfc8785.dumps(value)


@settings(max_examples=300, deadline=None)
@given(values(WHOLE | HALVES, INTEGERS | FLOATS))
@example(2**53)
@example([float("nan")])
@example([float("inf"), 1.0])
@example({"\ud800": 1})
def test_what_has_none_is_refused_alike(value: Any) -> None:
    text = json.dumps(value)
    try:
        wanted = rfc8785.dumps(json.loads(text))  # read again: two halves of a character side by side are one
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            canonical_text(text.encode())
    else:
        assert canonical_text(text.encode()) == wanted


@given(st.floats(-1e308, 1e308), st.integers(1, 20))
def test_however_a_number_is_written_its_canonical_form_is_one(value: float, digits: int) -> None:
    for text in (repr(value), f"{value:.{digits}e}", f"{value:.{digits}E}"):
        assert canonical_text(f"[{text}]".encode()) == rfc8785.dumps([float(text)])


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"01", b"1.", b"'a'", b'"\xff"', b"[" * 100_000, b"nul"])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        canonical_text(text)


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert canonical_text(b'{"a": 1, "a": 2}') == b'{"a":2}'
