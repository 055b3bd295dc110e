"""The section on plans: real data as a new user gets them, and pictures that say what the numbers say."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from shinrai.catalog import status_methods
from shinrai.check.indicators import assess
from shinrai.check.series import gather
from shinrai.ledger import Ledger
from shinrai.records import INDICATOR_STATES, Observation, Plan
from shinrai.report.groups import groups_of
from shinrai.report.html import render
from shinrai.report.outcomes import STATE_SHAPES, STATE_STYLES, STATE_WORDS
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


def test_the_page_holds_the_change_between_the_versions_and_what_nothing_implements(nation: Path) -> None:
    text = page(nation)
    assert 'id="jp-ai-basic-plan-2026.changes"' in text
    assert "新旧対照表" in text
    assert re.search(r"Known of one version only: \d+\.", text)
    assert "Measures that no plan here implements: 22 of 22" in text
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_a_page_without_systems_says_nothing_of_systems(nation: Path) -> None:
    text = page(nation)
    for said in ("Every promise in the plans was measured", 'id="register"', 'id="stack"', "Promises about AI systems"):
        assert said not in text
    assert "Plans: 2, with 28 promises about indicators" in text


def test_no_value_is_shown_surer_than_its_source(nation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everywhere a person reads a value that is not from an official text, it says so beside it."""
    text = page(nation)
    shown = re.findall(r"<p>(<span class=\"number\">58\.8.*?)</p>", text)
    assert len(shown) == 3
    assert all("from a secondary note" in one for one in shown)
    capsys.readouterr()
    assert call("-C", str(nation), "status") == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("    ")]
    assert sum("58.8" in line for line in told) == 3
    for line in told:
        assert "58.8" not in line or "[from a secondary note]" in line
        assert "target" not in line or any(word in line for word in ("draft only", "not verified", "names no target"))
    assert any("180,000 persons (2026-05) [from a secondary note]" in line for line in told)
    assert any("6.4622 trillion yen (2024) [provisional, as quoted by others]" in line for line in told)
    assert call("-C", str(nation), "status", "--from", "jp-ai-basic-plan-2025/use") == 0
    assert "from a secondary" in capsys.readouterr().out


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
    assert by_name["jp-ai-basic-plan-2025/ai-talent-gap"]["reason"] == "only-forecast"
    shown = run("status")
    assert "★ achieved" in shown
    assert "draft only" in shown
    coverage = run("status", "--coverage")
    assert "3 draft only · 3 not verified" in coverage
    (second, _first) = json.loads(run("status", "--coverage", "--json"))["plans"]
    assert second["plan"] == "jp-ai-basic-plan-2026"
    assert len(second["open_questions"]) >= 4


def test_a_third_version_is_one_more_file_and_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A version that comes into force later, with one target lowered: shown, compared, linted from its file alone."""
    root = tmp_path / "ws"
    assert call("init", str(root), "--plan", "jp-ai-basic-plan") == 0
    text = (files("shinrai.catalog") / "plans/jp-ai-basic-plan-2026.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("supersedes: jp-ai-basic-plan-2025", "supersedes: jp-ai-basic-plan-2026"),
        ("id: jp-ai-basic-plan-2026\n", "id: jp-ai-basic-plan-third\n"),
        ("start: 2026-07-14", "start: 2999-07-01"),
        ("value: 23.1", "value: 20"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (root / "plans").mkdir(exist_ok=True)
    (root / "plans/third.yaml").write_text(text, encoding="utf-8")
    for arguments, said in (
        (("status",), "not yet in force"),
        (("diff", "jp-ai-basic-plan-2026", "jp-ai-basic-plan-third"), "target lowered: indicator promise vertical-ai"),
    ):
        capsys.readouterr()
        assert call("-C", str(root), *arguments) == 0
        assert said in capsys.readouterr().out
    assert call("-C", str(root), "plan", "lint", "jp-ai-basic-plan-third") == 1
    assert "the version before promised 23.1, this one 20" in capsys.readouterr().out
    shown = page(root)
    assert 'id="jp-ai-basic-plan-third.changes"' in shown
    assert "in force from 2999-07-01 on" in shown
    assert "replaced on None" not in shown


def test_a_plan_that_the_catalog_does_not_have_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("init", str(tmp_path / "x"), "--plan", "jp-ai-basik-plan") == 2
    assert "did you mean jp-ai-basic-plan?" in capsys.readouterr().err
    assert not (tmp_path / "x/shinrai.yaml").exists()


def test_every_state_has_a_word_a_shape_of_its_own_and_a_colour() -> None:
    assert set(STATE_WORDS) == set(STATE_SHAPES) == set(STATE_STYLES) == set(INDICATOR_STATES)
    assert len(set(STATE_SHAPES.values())) == len(INDICATOR_STATES) == len(set(STATE_WORDS.values()))


def test_every_colour_of_the_page_has_a_dark_form() -> None:
    """Colours are named once for light and once for dark; only print and the shades of the map write them out."""
    sheets = [one for one in (files("shinrai.report") / "templates").iterdir() if one.name.endswith(".css")]
    assert len(sheets) >= 4
    light, dark = re.findall(r":root \{(.*?)\}", "".join(one.read_text(encoding="utf-8") for one in sheets))
    named = [set(re.findall(r"(--\w+): #", one)) for one in (light, dark)]
    assert named[0] == named[1]
    for sheet in sheets:
        rules = re.sub(r":root \{.*?\}|@media print \{.*", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        for rule in re.findall(r"[^{}]+\{[^{}]*#[0-9a-f]{3,6}\b[^{}]*\}", rules):
            assert "svg .shade" in rule or "svg .tile-ink" in rule, rule


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
    drawn = bars([(HOSTILE, 1.0), ("b", 2.0)], {HOSTILE}, 2.0)
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
    assert groups.worst_names == {worst}
    assert groups.values[-1][0] == worst
