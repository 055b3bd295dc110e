from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shinrai.catalog import status_methods
from shinrai.check.indicators import assess
from shinrai.check.series import gather
from shinrai.cli import main
from shinrai.do.reviews import Project, keep_projects, projects, read_reviews
from shinrai.do.reviews.goals import LEVELS
from shinrai.do.reviews.notices import Notices
from shinrai.records import Observation, Plan
from shinrai.workspace import load, scaffold
from tests.do.reviews import sheets

PUBLISHED = date(2025, 9, 30)


def logic_model() -> dict[str, list[sheets.Cells]]:
    # A project with an activity, an output and two outcomes, as the ministries draw it.
    goals = [
        sheets.node("884", "1", "アクティビティ", "相談窓口にAIを置く"),
        *sheets.indicator(
            "884",
            "1",
            level="アウトプット",
            horizon="",
            metric="相談件数",
            unit="件",
            direction="上向き",
            targets={2027: "900"},
        ),
        *sheets.indicator(
            "884", "1", targets={2025: "30", 2027: "20", 2029: "5"}, actuals={2023: "44.5", 2024: "38"}, rates={}
        ),
        *sheets.indicator(
            "884", "2", horizon="3.長期", metric="満足した人の割合", unit="％", direction="-", targets={2030: "80"}
        ),
    ]
    links = [
        sheets.link("884", ("1", "アクティビティ"), ("1", "アウトプット"), "窓口が開く"),
        sheets.link("884", ("1", "アウトプット"), ("1", "アウトカム"), "待ち時間が減る"),
        sheets.link("884", ("1", "アウトカム"), ("2", "アウトカム")),
    ]
    money = [
        sheets.budget("884", "2025", initial="1200000", available="1500000", spent=""),
        sheets.budget("884", "2024", initial="1000000", available="1000000", spent="0"),
    ]
    named = [
        sheets.basis("884", law="官民データ活用推進基本法", law_number="平成二十八年法律第百三号", article="9"),
        sheets.basis("884", plan="人工知能基本計画", url="https://example.jp/plan", policy="行政", programme="窓口"),
    ]
    checked = [{**sheets.common("884"), "事業所管部局による点検・改善ー点検結果": "待ち時間は減っている"}]
    return {"3-1": goals, "3-2": links, "2-1": money, "1-3": named, "4-1": checked}


def made(folder: Path) -> Project:
    reviews = read_reviews([sheets.write(folder, subject, rows) for subject, rows in logic_model().items()])
    (project,) = projects(reviews, PUBLISHED)
    return project


def test_a_project_becomes_a_plan_of_the_same_shape_as_any_other(tmp_path: Path) -> None:
    plan = made(tmp_path).plan
    assert plan.id == "rs-884-2025"
    assert plan.series == "rs-884"
    (measure,) = plan.measures()
    assert (measure.owner, measure.budget_refs) == ("霞省", ("884",))
    assert measure.description is not None
    assert measure.description.ja == "点検結果：待ち時間は減っている"
    assert [(node.id, node.level) for node in plan.results] == [
        ("input-budget", "input"),
        ("activity-1", "activity"),
        ("output-1", "output"),
        ("outcome-1", "outcome"),
        ("outcome-2", "outcome"),
    ]
    assert plan.results[0].note is not None
    assert plan.results[0].note.ja == (
        "2025年度：当初予算 1,200,000円、歳出予算現額 1,500,000円\n"
        "2024年度：当初予算 1,000,000円、歳出予算現額 1,000,000円、執行額 0円"
    )
    assert [(link.origin, link.to) for link in plan.links] == [
        ("activity-1", "output-1"),
        ("output-1", "outcome-1"),
        ("outcome-1", "outcome-2"),
    ]
    assert plan.links[1].mechanism is not None
    assert plan.links[2].mechanism is None


def test_what_is_promised_is_what_the_file_says_and_nothing_more(tmp_path: Path) -> None:
    project = made(tmp_path)
    wait = next(use for use in project.plan.uses if use.of == "outcome-1")
    assert wait.baseline is None
    assert wait.target is not None
    assert (wait.target.value, wait.target.period) == (20.0, "FY2027")
    assert [(one.period, one.value) for one in wait.path] == [("FY2025", 30.0), ("FY2027", 20.0)]
    (definition,) = [one for one in project.plan.indicators if one.id == wait.indicator]
    assert (definition.direction, definition.unit) == ("down", "分")
    assert not [use for use in project.plan.uses if use.of == "outcome-2"], "no direction, no promise"


def test_what_was_spent_is_observed_against_what_the_budget_allows(tmp_path: Path) -> None:
    project = made(tmp_path)
    (use,) = [one for one in project.plan.uses if one.of == "input-budget"]
    assert [(one.period, one.value) for one in use.path] == [("FY2024", 1e6), ("FY2025", 1.5e6)]
    assert use.target is None
    (definition,) = [one for one in project.plan.indicators if one.id == use.indicator]
    assert definition.unit == "yen"
    assert definition.note is not None
    assert "does not say that more spending is better" in definition.note.read("en")
    (spent,) = [one for one in project.observations if one.subject == use.indicator]
    assert (spent.period, spent.value, spent.as_of) == ("FY2024", 0.0, date(2025, 3, 31)), "0 is a value, blank is none"
    assert (spent.source, spent.locator) == ("行政事業レビュー 2025年度 2-1_RS_2025_test.csv", "3:2024")


def test_what_was_spent_gets_no_verdict(tmp_path: Path) -> None:
    project = made(tmp_path)
    method = status_methods()["pace-against-path"]
    told = assess([project.plan], {}, gather(project.observations), method, date(2025, 10, 1))
    (spent,) = [one for one in told if one.use.of == "input-budget"]
    assert spent.state == "no_target"


def test_a_budget_that_was_never_read_leaves_no_trace(tmp_path: Path) -> None:
    model = logic_model()
    del model["2-1"], model["1-3"]
    reviews = read_reviews([sheets.write(tmp_path, subject, rows) for subject, rows in model.items()])
    (project,) = projects(reviews, PUBLISHED)
    assert all(node.level != "input" for node in project.plan.results)
    assert not [one for one in project.observations if one.unit == "yen"]
    assert project.plan.legal_basis is None


def test_a_budget_with_no_amount_allowed_has_no_path(tmp_path: Path) -> None:
    model = {**logic_model(), "2-1": [sheets.budget("884", "2024", spent="5")]}
    (project,) = projects(read_reviews([sheets.write(tmp_path, *one) for one in model.items()]), PUBLISHED)
    (use,) = [one for one in project.plan.uses if one.of == "input-budget"]
    assert (use.path, use.path_basis) == ((), None)
    assert [one.value for one in project.observations if one.unit == "yen"] == [5.0]


def test_the_law_and_the_plans_that_a_project_names_can_be_read_from_its_plan(tmp_path: Path) -> None:
    plan = made(tmp_path).plan
    assert plan.legal_basis is not None
    assert plan.legal_basis.ja == "官民データ活用推進基本法（平成二十八年法律第百三号）第9条"
    (measure,) = plan.measures()
    named = measure.sources[1]
    assert (named.title.ja, named.url) == ("人工知能基本計画", "https://example.jp/plan")
    assert named.locator == "1-3_RS_2025_test.csv:3"
    assert plan.goals[0].note is not None
    assert plan.goals[0].note.ja == "行政 ／ 窓口"


def test_results_are_observations_with_their_vintage_and_their_cell(tmp_path: Path) -> None:
    first, second = (one for one in made(tmp_path).observations if one.unit != "yen")
    assert (first.period, first.value, first.as_of) == ("FY2023", 44.5, date(2024, 3, 31))
    assert second.period == "FY2024"
    assert first.published == PUBLISHED
    assert first.collector == "self-reported"
    assert first.locator == "9:2023"
    assert first.source == "行政事業レビュー 2025年度 3-1_RS_2025_test.csv"


def test_ids_of_indicators_stay_from_year_to_year(tmp_path: Path) -> None:
    before = made(tmp_path)
    rows = [{**row, "事業年度": "2026"} for row in logic_model()["3-1"]]
    after = next(iter(projects(read_reviews([sheets.write(tmp_path, "3-1", rows)]), date(2026, 9, 30))))
    assert after.plan.id == "rs-884-2026"
    assert [one.id for one in after.plan.indicators] == [one.id for one in before.plan.indicators if one.unit != "yen"]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "town"
    scaffold(root, name="town")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SHINRAI_LANG", "en")
    return root


def files(folder: Path) -> list[str]:
    return [str(sheets.write(folder, subject, rows)) for subject, rows in logic_model().items()]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    code = ended.value.code
    return code if isinstance(code, int) else 0, out, err


def test_the_command_writes_a_workspace_that_loads(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "do", "reviews", *files(tmp_path), "--published", "2025-09-30", "--project", "000884")
    assert code == 0, err
    assert "brought in 1 projects with 3 new observations" in out
    assert "indicators that do not say which way is better" in out
    plan = load(workspace).plans["rs-884-2025"]
    assert plan == made(tmp_path).plan
    text = (workspace / "observations/rs-884.csv").read_text(encoding="utf-8")
    assert "rs-884.outcome-1.1,FY2023,44.5,分,2025-09-30," in text


def test_the_same_again_changes_nothing_and_a_new_vintage_adds_a_row(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["do", "reviews", *files(tmp_path), "--project", "884", "--json", "--published"]
    run(capsys, *arguments, "2025-09-30")
    _code, out, _err = run(capsys, *arguments, "2025-09-30")
    again = json.loads(out)
    assert (again["observations"], again["written"]) == (0, [])
    _code, out, _err = run(capsys, *arguments, "2025-10-31")
    assert json.loads(out)["observations"] == 3


def test_a_value_revised_silently_is_named_and_the_first_one_stays(workspace: Path, tmp_path: Path) -> None:
    project = made(tmp_path)
    keep_projects(workspace, [project], Notices())
    before = (workspace / "observations/rs-884.csv").read_text(encoding="utf-8")
    changed = tuple(one.model_copy(update={"value": one.value + 1}) for one in project.observations)
    notices = Notices()
    keep_projects(workspace, [Project(project.plan, changed)], notices)
    assert dict(notices.counts) == {"revised": 3}
    money, first, _second = notices.of("revised")
    assert (money.found, money.other) == ("1", "0")
    assert (first.file, first.line, first.found, first.other) == ("observations/rs-884.csv", 3, "45.5", "44.5")
    assert (workspace / "observations/rs-884.csv").read_text(encoding="utf-8") == before


def test_projects_are_those_that_measures_pay_with(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _out, err = run(capsys, "do", "reviews", *files(tmp_path), "--published", "2025-09-30")
    assert code == 2
    assert "None of the projects asked for" in err
    path = workspace / "plans/plan.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace(
            "        owner:", '        budget_refs: ["000884"]\n        owner:', 1
        ),
        encoding="utf-8",
    )
    code, out, err = run(capsys, "do", "reviews", *files(tmp_path), "--published", "2025-09-30")
    assert code == 0, err
    assert "plans/rs-884-2025.yaml" in out


def valid_by_its_own_rules(project: Project) -> bool:
    plan, observed = project.plan, project.observations
    return Plan.model_validate_json(plan.model_dump_json()) == plan and all(
        Observation.model_validate_json(one.model_dump_json()) == one for one in observed
    )


def test_everything_made_is_valid_by_the_records_own_rules(tmp_path: Path) -> None:
    assert valid_by_its_own_rules(made(tmp_path))


cells = st.sampled_from(["", "-", "x", " 相談 ", '改行\nと"引用"', "0", "長い" * 90])
numbers = st.sampled_from(["", "-", "0", "-3.5", "1,200", "１２", "12%", "9" * 400])


@given(
    goals=st.lists(
        st.builds(
            sheets.indicator,
            st.sampled_from(["4", "000004", "77"]),
            st.sampled_from(["", "1", "２", "1-1", "A b", "長" * 90, "n" * 300, "n" * 301]),
            level=st.sampled_from([*LEVELS, "9.アウトカム", "?"]),
            horizon=cells,
            metric=cells,
            unit=cells,
            direction=st.sampled_from(["上向き", "下向き", "-", "?"]),
            target_year=st.sampled_from([None, 2027, 2060]),
            targets=st.dictionaries(st.sampled_from([2007, 2026, 2027, 2060]), numbers),
            actuals=st.dictionaries(st.sampled_from([2023, 2024]), numbers),
            more=st.fixed_dictionaries(
                {sheets.STATEMENT: cells, sheets.ORIGIN: cells, **dict.fromkeys(sheets.COMMON[3:7], cells)}
                | {name: cells for name in sheets.HEADERS["3-1"] if "閣議決定" in name or "定性的な" in name}
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_cells_hold_what_is_made_of_them_is_valid(tmp_path: Path, goals: list[list[sheets.Cells]]) -> None:
    file = sheets.write(tmp_path, "3-1", [row for rows in goals for row in rows])
    assert all(valid_by_its_own_rules(project) for project in projects(read_reviews([file]), PUBLISHED))
