"""OSCAL catalogs, in the shapes in which NIST publishes them."""

from __future__ import annotations

import json
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.source import read_oscal_catalog
from shinrai.source.oscal import MAX_CATALOG_BYTES

SAMPLES = Path(__file__).parents[1] / "samples"
CATALOG: dict[str, Any] = {
    "catalog": {
        "uuid": "1",
        "metadata": {
            "title": "Controls",
            "version": "5.1.1+u4",
            "last-modified": "2024-02-04T23:00:00.000000-05:00",
            "oscal-version": "1.1.2",
            "parties": [{"uuid": "p", "type": "organization", "name": "Institute"}],
            "responsible-parties": [{"role-id": "creator", "party-uuids": ["p"]}],
        },
        "groups": [
            {
                "id": "ac",
                "title": "Access",
                "controls": [
                    {
                        "id": "ac-1",
                        "title": "Policy",
                        "params": [{"id": "ac-1_prm_1", "label": "frequency"}],
                        "parts": [
                            {
                                "name": "statement",
                                "parts": [
                                    {
                                        "name": "item",
                                        "props": [{"name": "label", "value": "a."}],
                                        "prose": "Review {{ insert: param, ac-1_prm_1 }}; and",
                                    }
                                ],
                            },
                            {"name": "guidance", "prose": "left out"},
                        ],
                        "controls": [{"id": "ac-1.1", "title": "Within"}],
                    },
                    {"id": "ac-2", "title": "Gone", "props": [{"name": "status", "value": "withdrawn"}]},
                ],
            },
            {"title": "No id", "controls": [{"id": "安全性-2", "title": "日本語"}]},
        ],
    }
}


def test_a_catalog_becomes_a_framework(tmp_path: Path) -> None:
    path = tmp_path / "NIST_SP-800-53_rev5 catalog.json"
    path.write_text(json.dumps(CATALOG), encoding="utf-8")
    book, problem = read_oscal_catalog(path, shown_as=path.name)
    assert problem is None
    assert book is not None
    assert (book.id, book.version, str(book.published)) == ("nist-sp-800-53-rev5-catalog", "5.1.1+u4", "2024-02-04")
    assert book.issuer.en == "Institute"
    entries = {one.id: one for one in book.requirements}
    assert list(entries) == ["ac", "ac-1", "ac-1.1", "ac-2", "group-1", "安全性-2"]
    assert entries["ac-1"].text is not None
    assert entries["ac-1"].text.en == "a. Review [frequency]; and"
    assert entries["ac-1.1"].parent == "ac-1"
    assert [name for name, one in entries.items() if one.assessable] == ["ac-1", "ac-1.1", "安全性-2"]


def deep(depth: int) -> dict[str, Any]:
    control: dict[str, Any] = {"id": "c", "title": "c"}
    for number in range(depth):
        control = {"id": f"c{number}", "title": "c", "controls": [control]}
    return {"catalog": {**CATALOG["catalog"], "groups": [], "controls": [control]}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"catalog": {}}',
        '{"catalog": {"metadata": {"title": "x", "last-modified": "yesterday"}, "controls": []}}',
        '{"catalog": {"metadata": {"title": "x", "last-modified": "2026-01-01"}}}',
        '{"catalog": {"metadata": {"title": "x", "last-modified": "2026-01-01"}, "controls": [{"id": "a"}]}}',
        '{"catalog": {"metadata": {"title": "x", "last-modified": "2026-01-01"}, "controls": 7}}',
        "[" * 100_000,
        json.dumps(deep(60)),
    ],
)
def test_what_is_no_catalog_is_refused_whole(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    book, problem = read_oscal_catalog(path, shown_as="x.json")
    assert book is None
    assert problem is not None
    assert problem.code in {"source.oscal", "source.json", "source.too-deep"}
    assert problem.message


@pytest.mark.parametrize(
    ("right", "wrong", "message", "at"),
    [
        ('"title": "Policy"', '"titel": "Policy"', "it lacks `title`", "{"),
        ('"props": [', '"props": 7, "x": [', "`props` is not a list of objects", "7, "),
        ('"oscal-version": "1.1.2"', '"oscal-version": "1.0.0-rc1"', "a draft of OSCAL", '"1.0.0-rc1"'),
        ('"2024-02-04T23:00:00.000000-05:00"', '"yesterday"', '"yesterday" is not a date', '"yesterday"'),
        ('"title": "Access"', '"title": "Access",,', "this is not JSON", ","),
    ],
)
def test_a_mistake_is_shown_where_it_stands(right: str, wrong: str, message: str, at: str, tmp_path: Path) -> None:
    text = json.dumps(CATALOG, indent=1)
    assert right in text
    path = tmp_path / "x.json"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    _book, problem = read_oscal_catalog(path, shown_as="x.json")
    assert problem is not None
    assert message in problem.message
    assert path.read_text(encoding="utf-8").splitlines()[problem.line - 1][problem.column - 1 :].startswith(at)
    assert problem.line > 1


def test_two_controls_with_one_id_are_refused(tmp_path: Path) -> None:
    twice = json.loads(json.dumps(CATALOG))
    twice["catalog"]["groups"][1]["controls"][0]["id"] = "ac-1"
    path = tmp_path / "x.json"
    path.write_text(json.dumps(twice), encoding="utf-8")
    _book, problem = read_oscal_catalog(path, shown_as="x.json")
    assert problem is not None
    assert "ac-1" in problem.message


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    _book, problem = read_oscal_catalog(path, shown_as="x.json")
    assert problem is not None
    assert problem.code == "source.unreadable"
    with path.open("wb") as file:
        file.truncate(MAX_CATALOG_BYTES + 1)
    _book, problem = read_oscal_catalog(path, shown_as="x.json")
    assert problem is not None
    assert problem.code == "source.too-large"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["catalog", "metadata", "title", "controls", "id", "parts", "props"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_nothing_that_json_can_say_breaks_the_reader(value: Any) -> None:
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - a folder for each example

    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        book, problem = read_oscal_catalog(path, shown_as="x.json")
        assert (book is None) != (problem is None)


def test_catalogs_of_nist_are_read_as_they_were_published(tmp_path: Path) -> None:
    """`tests/samples/README.md` lists them. What is counted is counted in their JSON, without our reader."""
    seen = 0
    with lzma.open(SAMPLES / "nist.tar.xz") as packed, tarfile.open(fileobj=packed) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            raw = file.read()
            path = tmp_path / member.name
            path.write_bytes(raw)
            book, problem = read_oscal_catalog(path, shown_as=member.name)
            assert problem is None, member.name
            assert book is not None
            controls = list(_controls(json.loads(raw)["catalog"]))
            gone = sum(
                any(prop["name"] == "status" and prop["value"] == "withdrawn" for prop in one.get("props", []))
                for one in controls
            )
            assessable = [one.id for one in book.requirements if one.assessable]
            assert len(assessable) == len(controls) - gone, member.name
            assert set(assessable) <= {one["id"] for one in controls}
            assert all(one.title.en for one in book.requirements)
            seen += 1
    assert seen == 4


def _controls(owner: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group in owner.get("groups", []):
        yield from _controls(group)
    for control in owner.get("controls", []):
        yield control
        yield from _controls(control)
