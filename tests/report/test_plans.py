"""The section on plans: real data as a new user gets them, and pictures that say what the numbers say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shinrai.catalog import status_methods
from shinrai.check.indicators import assess
from shinrai.check.series import gather
from shinrai.ledger import Ledger
from shinrai.records import INDICATOR_STATES, Observation, Plan
from shinrai.report.html import render
from shinrai.report.outcomes import STATE_SHAPES, STATE_STYLES, STATE_WORDS, groups_of
from shinrai.report.plan_figures import bars, path_rows, series_figure
from shinrai.workspace import load
from tests.check.test_indicators import TODAY, observation, plan, promise
from tests.cycle import call

HOSTILE = '"><script>alert(1)</script>'


def page(root: Path) -> str:
    workspace = load(root)
    with Ledger.open(workspace.settings.store, root=root) as ledger:
        return render(workspace, ledger.state())


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("nation") / "ws"
    assert call("init", str(root), "--plan", "jp-ai-basic-plan") == 0
    return root


def test_a_new_user_sees_real_data(nation: Path) -> None:
    text = page(nation)
    assert text == page(nation)
    assert "AI Basic Plan, second term" in text
    assert text.index("second term") < text.index("Cabinet decision of 23 December 2025")
    for said in ("58.8", "6.4622", "draft only", "What could not be verified", "案の段階", "確認できなかったこと"):
        assert said in text
    for said in ("the worst group:", "other municipalities", "その他の市区町村", "企業の規模"):
        assert said in text
    assert "other-municipalities" not in text


def test_the_terminal_and_programs_are_told_the_same(nation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert call("-C", str(nation), *arguments) == 0
        return capsys.readouterr().out

    told = json.loads(run("status", "--json"))["indicators"]
    by_name = {f"{one['plan']}/{one['use'].get('id', one['indicator']['id'])}": one for one in told}
    first = by_name["jp-ai-basic-plan-2025/genai-use-first"]
    assert (first["state"], first["use"]["target"]["standing"]) == ("achieved", "draft")
    assert first["observed"]["value"] == 58.8
    assert first["method"] == {"id": "pace-against-path", "version": "1"}
    assert by_name["jp-ai-basic-plan-2025/ai-distrust"]["reason"] == "too-old"
    assert by_name["jp-ai-basic-plan-2025/induced-private-investment"]["state"] == "not_measurable"
    assert by_name["jp-ai-basic-plan-2025/ai-talent-gap"]["reason"] == "no-observation"
    shown = run("status")
    assert "★ achieved" in shown
    assert "draft only" in shown
    coverage = run("status", "--coverage")
    assert "3 draft only · 3 not verified" in coverage
    (second, _first) = json.loads(run("status", "--coverage", "--json"))["plans"]
    assert second["plan"] == "jp-ai-basic-plan-2026"
    assert len(second["open_questions"]) >= 4


def test_a_plan_that_the_catalog_does_not_have_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("init", str(tmp_path / "x"), "--plan", "jp-ai-basik-plan") == 2
    assert "did you mean jp-ai-basic-plan?" in capsys.readouterr().err
    assert not (tmp_path / "x/shinrai.yaml").exists()


def test_every_state_has_a_word_a_shape_of_its_own_and_a_colour() -> None:
    assert set(STATE_WORDS) == set(STATE_SHAPES) == set(STATE_STYLES) == set(INDICATOR_STATES)
    assert len(set(STATE_SHAPES.values())) == len(INDICATOR_STATES) == len(set(STATE_WORDS.values()))


# Pictures


def figure(house: Plan, *found: Observation) -> str:
    (status,) = assess([house], {}, gather(found), status_methods()["pace-against-path"], TODAY)
    return series_figure(status)


def test_a_picture_shows_every_part_of_a_promise() -> None:
    house = plan(**promise(("2022", 20), ("2030", 90)))
    drawn = figure(house, *(observation(str(2022 + n), 20 + 9 * n + n % 2) for n in range(4)))
    for part in ('class="baseline"', 'class="target"', 'class="road assumed"', 'class="fan"', 'class="ahead"'):
        assert drawn.count(part) == 1, part
    assert drawn.count("<circle") == 4
    assert 'aria-label="2022 20 · 2023 30 · 2024 38 · 2025 48"' in drawn
    stored = promise(("2022", 20), ("2030", 90), path=[{"period": "2025", "value": 30}], path_basis="official")
    assert 'class="road"' in figure(plan(**stored), observation("2025", 30))


def test_an_old_vintage_is_hollow_and_a_break_breaks_the_line() -> None:
    house = plan(**promise(("2022", 20), ("2030", 90)))
    early, late = observation("2025", 60, published="2026-02-01"), observation("2025", 40, published="2026-06-01")
    drawn = figure(house, observation("2024", 30), early, late)
    assert drawn.count('class="old"') == 1
    assert drawn.count('class="line') == 1
    broken = figure(house, observation("2023", 30), observation("2024", 70, series_break=True), observation("2025", 71))
    assert broken.count('class="line') == 2


def test_there_is_no_picture_of_nothing() -> None:
    assert figure(plan()) == ""
    assert figure(plan(), observation("2026", 40)) == ""
    assert "<circle" in figure(plan(), observation("2026", 40), observation("2025", 30))
    assert figure(plan(target={"value": 80, "period": "2030", "standing": "final"})) == ""


def test_names_from_files_cannot_leave_the_picture() -> None:
    drawn = bars([(HOSTILE, 1.0), ("b", 2.0)], HOSTILE, 2.0)
    assert "<script" not in drawn
    assert drawn.count('class="worst"') == 1


def test_the_table_under_a_picture_has_every_vintage_and_the_path() -> None:
    house = plan(**promise(("2022", 20), ("2030", 100)))
    found = [observation("2026", 50), observation("2026", 40, published="2026-09-01"), observation("2024", 40)]
    (status,) = assess([house], {}, gather(found), status_methods()["pace-against-path"], TODAY)
    rows = path_rows(status)
    assert [(point.period, len(point.vintages), value) for point, value in rows] == [
        ("2026", 2, 60.0),
        ("2024", 1, 40.0),
    ]


@pytest.mark.parametrize(
    ("direction", "more", "worst"), [("up", {}, "b"), ("down", {}, "a"), ("band", {"band": [50, 60]}, "b")]
)
def test_the_worst_group_depends_on_the_direction(direction: str, more: dict[str, object], worst: str) -> None:
    house = plan(direction, {"disaggregation": ["kind"], **more})
    values = {"a": 70.0, "b": 30.0, "c": 55.0}
    found = [observation("2026", value, breakdown={"kind": name}) for name, value in values.items()]
    series = gather(found)
    (status,) = assess([house], {}, series, status_methods()["pace-against-path"], TODAY)
    (groups,) = groups_of(status, series)
    assert groups.worst == worst
    assert groups.values[-1][0] == worst
