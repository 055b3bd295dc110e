"""The register and the stack on the page: value beside risk, and pictures that are the same for the same files."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shinrai import do
from shinrai.ledger.projection import State
from shinrai.records import Text
from shinrai.report.html import render
from shinrai.report.register import register
from shinrai.report.stack import Overview, overview
from shinrai.report.stack_picture import concentration_picture, stack_picture
from shinrai.report.stack_words import index, share
from shinrai.workspace import stack_graph
from tests.plan.test_deepening import DEPTHS, SCHEME
from tests.plan.test_exposure import graph, part, system
from tests.plan.town import TODAY, Town, text

HOSTILE = "<script>alert('x')</script>"


def seen(*systems: Any, parts: tuple[Any, ...] = ()) -> Overview:
    return overview(graph(systems, *parts), State(), TODAY, 30)


def read(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - drawn by ourselves


def test_a_box_for_everything_and_a_line_for_every_need() -> None:
    found = seen(
        system("one", ["a", "b"]),
        system("two", "b"),
        parts=(part("a", "gpu"), part("b", "gpu"), part("gpu", notices=[{"id": "N", "title": {"en": "N"}}])),
    )
    picture = read(stack_picture(found))
    titles = [str(one.findtext("title")) for one in picture.iter("g")]
    assert sorted(titles) == ["a", "b", "gpu", "one", "one/model", "two", "two/model"]
    paths = [one.get("class") for one in picture.iter("path")]
    assert sorted(map(str, paths)) == ["need"] * 5 + ["need any"] * 2
    marks = {
        one.findtext("title"): [m.text for m in one.iter("text") if m.get("class") == "mark"]
        for one in picture.iter("g")
    }
    assert marks["gpu"] == ["▲ ◆2"]
    assert marks["a"] == []
    assert marks["b"] == ["◆1"]  # two has no alternative


def test_needs_point_to_the_right() -> None:
    found = seen(system("s", "a"), parts=(part("a", "b"), part("b", "c"), part("c")))
    places = {
        one.findtext("title"): float(rect.get("x", "nan"))
        for one in read(stack_picture(found)).iter("g")
        for rect in one.iter("rect")
    }
    assert [*places] == ["s", "s/model", "a", "b", "c"]
    assert [*places.values()] == sorted(places.values())
    assert len(set(places.values())) == 5


def test_what_people_write_is_escaped_and_cut() -> None:
    found = seen(system("s", "a"), parts=(part("a", title={"en": HOSTILE, "ja": "長" * 40}, supplier=HOSTILE),))
    picture = stack_picture(found)
    assert "<script" not in picture
    words = [one.text or "" for one in read(picture).iter("text")]
    assert any(word.startswith("長") and word.endswith("…") for word in words)
    assert "<script" not in concentration_picture(found.concentrations[0], 1, Text(en="?"))


def test_many_systems_that_need_the_same_are_one_box() -> None:
    many = [system(f"s{number}", "a" if number % 3 else "b") for number in range(500)]
    found = seen(*many, parts=(part("a"), part("b"), *(part(f"c{number}") for number in range(100))))
    picture = stack_picture(found)
    boxes = list(read(picture).iter("g"))
    assert len(boxes) <= 60
    names = [
        one.text for box in boxes for one in box.iter("text") if one.get("class") == "name" and one.get("lang") == "en"
    ]
    assert {"333 systems", "167 systems"} <= set(names)
    assert len(list(read(picture).iter("path"))) == 2
    assert (
        stack_picture(seen(*many, parts=(part("a"), part("b"), *(part(f"c{number}") for number in range(100)))))
        == picture
    )


def test_no_system_no_picture() -> None:
    assert stack_picture(seen()) == ""
    assert concentration_picture(seen().concentrations[0], 0, Text(en="?")) == ""


def test_bars_are_as_long_as_the_shares() -> None:
    found = seen(system("one", supplier="A"), system("two", "b", supplier="A"), parts=(part("b"),))
    by_supplier = found.concentrations[0]
    picture = read(concentration_picture(by_supplier, 2, Text(en="not stated", ja="記載なし")))
    widths = {one.get("class"): float(one.get("width", "nan")) for one in picture.iter("rect")}
    whole = widths["held"] + widths["unheld"]
    assert widths["held"] / whole == pytest.approx(by_supplier.holders[0].share, abs=0.01)
    assert widths["lost"] == pytest.approx(whole, abs=0.2)  # both systems stop with A
    assert picture.get("aria-label") == "HHI 0.56–1.00"


@pytest.mark.parametrize(("value", "written"), [(0.0, "0.0%"), (0.0001, "<0.1%"), (1 / 3, "33.3%"), (1.0, "100.0%")])
def test_more_than_nothing_is_never_written_as_nothing(value: float, written: str) -> None:
    assert share(value) == written
    assert index(0.25, 0.25) == "0.25"
    assert index(0.2, 0.5) == "0.20–0.50"


BENEFIT = {"expected": text("shorter waits"), "indicator": "waiting-time", "better": "lower", "target": 5}


@pytest.fixture
def valued(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    town.systems["helper"] |= {"benefit": BENEFIT, "stage": "operation", "risks": [text("wrong advice")]}
    with town.ledger:
        town.plan()
        yield town


def rows(town: Town) -> dict[str, Any]:
    workspace, state = town.load(), town.state
    return {row.system.id: row for row in register(workspace.systems.values(), state, state.claims(TODAY))}


def observe(town: Town, value: float, day: date) -> None:
    do.observe(
        town.ledger, town.load(), subject="waiting-time", value=value, unit="min", as_of=day, source="log", today=TODAY
    )


def test_value_stands_beside_risk(valued: Town) -> None:
    row = rows(valued)["helper"]
    assert (row.observed, row.reached) == (None, None)
    assert row.counts == {"not_measured": 1}
    assert row.missing == ("development", "before-release", "operation")
    observe(valued, 4.5, date(2026, 10, 1))
    observe(valued, 7.0, date(2026, 9, 1))  # brought in later, about an earlier day
    row = rows(valued)["helper"]
    assert (row.observed.value, row.reached) == (4.5, True)
    observe(valued, 5.5, date(2026, 11, 1))
    assert rows(valued)["helper"].reached is False
    assert rows(valued)["screening"].reached is None


def test_an_indicator_of_a_benefit_is_something_to_observe(valued: Town) -> None:
    with pytest.raises(Exception, match="No check asks for the subject waiting-tim"):
        do.observe(
            valued.ledger,
            valued.load(),
            subject="waiting-tim",
            value=1,
            unit="min",
            as_of=TODAY,
            source="log",
            today=TODAY,
        )


def test_the_page_shows_both_in_both_languages(valued: Town) -> None:
    record = {"id": "gpu", "type": "compute", "title": text("GPU"), "supplier": HOSTILE, "supplier_country": "JP"}
    valued.put("components/gpu.yaml", json.dumps(record))
    valued.systems["helper"]["needs"] = ["gpu"]
    valued.plan()
    observe(valued, 4.5, date(2026, 10, 1))
    page = render(valued.load(), valued.state)
    assert "<script" not in page
    for words in (
        "value beside risk",
        "価値とリスクを並べて",
        "shorter waits（日本語）",
        "wrong advice",
        "target reached",
    ):
        assert words in page
    for section in ("register", "stack"):
        assert len(re.findall(f'id="{section}"', page)) == 1
    assert render(valued.load(), valued.state) == page
    assert stack_graph(valued.load().systems.values(), valued.load().components).systems


def test_risk_its_derivation_and_the_gate_stand_in_the_register(valued: Town) -> None:
    assert 'class="tier"' not in render(valued.load(), valued.state), "no scheme, no depth"
    valued.settings["risk"] = ["ours"]
    valued.put("risk/ours.yaml", json.dumps(SCHEME))
    valued.put("risk-depth.yaml", json.dumps(DEPTHS))
    valued.systems["helper"]["autonomy"] = "acts-alone"
    valued.plan()
    page = render(valued.load(), valued.state)
    for words in (
        "it acts",
        "it acts（日本語）",
        "the gate “in operation” is closed: of 3 checks due by its risk (D), 3 are not kept",
        "関門「運用中」は閉じています",
        "safe (due by “before release”): no plan promises it",
        "polite polite (due by “development”): not measured",
    ):
        assert words in page, words
    page = re.sub("<details.*?</details>", "", page, flags=re.DOTALL)
    assert "it acts" not in page, "the derivation is folded away"
