"""A JSON document in pieces is the same document, wherever the pieces end."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shinrai.do import json_stream
from shinrai.do.json_stream import stream
from shinrai.errors import SourceError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.fixed_dictionaries({"samples": st.lists(VALUES, max_size=6)}, optional={"a": VALUES, "b": VALUES})


def read(text: bytes, piece: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put a document together again from what is handed out."""
    found: dict[str, Any] = {"samples": []}
    with monkeypatch.context() as patch:
        patch.setattr(json_stream, "_PIECE", piece)
        for place, value in stream(io.BytesIO(text), "x.json", [("samples",)]):
            if place == ("samples",):
                found["samples"].append(json.loads(value))
            else:
                found[place[0]] = json.loads(value)
    return found


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.sampled_from([1, 2, 3, 7, 64]), st.booleans(), st.sampled_from([None, 1]))
def test_a_document_comes_back_whole_however_it_is_cut(
    document: dict[str, Any], piece: int, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    with pytest.MonkeyPatch.context() as patch:
        assert read(text, piece, patch) == document


@settings(max_examples=20, deadline=None)
@given(DOCUMENTS, st.integers(0, 400))
def test_a_document_that_was_cut_off_is_refused(document: dict[str, Any], at: int) -> None:
    """By the stream, or by whoever reads its last value, where the cut went through a bare word such as null."""
    text = json.dumps(document).encode()
    with pytest.MonkeyPatch.context() as patch, pytest.raises((SourceError, json.JSONDecodeError)):
        read(text[: min(at, len(text) - 1)], 16, patch)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{} x", b'{"a": 1, "a": 2}', b'{"a" 1}', b"{a: 1}", b'{"a": 1,, "b": 2}', b'{"\\x": 1}', b'{"a"}'],
)
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        list(stream(io.BytesIO(text), "x.json", [("samples",)]))
    assert "byte" in str(caught.value) or "JSON" in str(caught.value)


def test_a_value_that_never_ends_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "MAX_ELEMENT_BYTES", 4096)
    with pytest.raises(SourceError, match="longer than"):
        list(stream(io.BytesIO(b'{"a": "' + b"x" * 10_000 + b'"}'), "x.json", [("samples",)]))


def test_a_list_inside_objects_is_gone_into() -> None:
    text = b'{"results": {"version": 3, "results": [1, {"a": [2]}], "stats": {}}, "config": {"x": []}}'
    found = [(place, json.loads(value)) for place, value in stream(io.BytesIO(text), "x", [("results", "results")])]
    assert found == [
        (("results", "version"), 3),
        (("results", "results"), 1),
        (("results", "results"), {"a": [2]}),
        (("results", "stats"), {}),
        (("config",), {"x": []}),
    ]
