from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.catalog import higher_plans
from shinrai.cli import main
from shinrai.ledger import create
from shinrai.plan.lint import RULES, Linted, lint
from shinrai.plan.lint.wording import ACTIVITY, SAFEGUARD, USAGE, first_word
from shinrai.records import Observation, Plan, Text
from shinrai.stats.bunching import bunching
from shinrai.workspace import scaffold
from tests.plan.national import observed, seen, sound, text

Data = dict[str, Any]


def linted(plan: Plan, values: dict[str, list[Observation]] | None = None, before: Plan | None = None) -> Linted:
    return lint(plan, {plan.id: plan}, observed() if values is None else values, before)


def rules(found: Linted) -> list[str]:
    return [f"{one.rule}:{one.of}" for one in found.findings]


def test_a_sound_plan_is_left_in_peace() -> None:
    assert rules(linted(sound())) == []


def without_results(data: Data) -> None:
    data.update(results=[], links=[], uses=[])


def only_built(data: Data) -> None:
    data["results"] = data["results"][:1]
    data.update(links=[], uses=[])


def unnamed(data: Data) -> None:
    del data["results"][1]["who_changes"]


def own_change(data: Data) -> None:
    data["results"][1]["who_changes"] = text("the Care Office and its staff")


def activity_in_japanese(data: Data) -> None:
    data["results"][1]["title"] = text("Waiting", "指針の策定件数が増える")


def activity_in_english(data: Data) -> None:
    data["results"][1]["title"] = text("More guidelines are published")


def activity_indicator(data: Data) -> None:
    data["indicators"][0]["title"] = text("Workshops", "研修の受講者数")


def no_baseline(data: Data) -> None:
    del data["uses"][0]["baseline"]


def late_baseline(data: Data) -> None:
    data["goals"][0]["measures"][0]["start"] = "2025-01-01"


def own_source(data: Data) -> None:
    data["indicators"][0]["sources"][0]["producer"] = text("Care office")


def bare_link(data: Data) -> None:
    data["links"][0] = {"from": "built", "to": "waiting", "counter_indicator": "mistakes-per-plan"}


def all_usage(data: Data) -> None:
    data["results"][1]["title"] = text("Adoption of the helper", "利用率が上がる")
    data["results"][2]["title"] = text("Private investment in safe helpers", "安全なAIへの投資が増える")


def only_busy(data: Data) -> None:
    data["results"][1]["level"] = data["results"][2]["level"] = "activity"
    data["results"] = data["results"][1:]
    data["links"] = []


def one_sided(data: Data) -> None:
    data["results"] = data["results"][:2]
    data["uses"] = data["uses"][:1]
    del data["links"][0]["counter_indicator"]


def easy_target(data: Data) -> None:
    data["uses"][0]["target"]["value"] = 28


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (without_results, {"R1:helper"}),
        (only_built, {"R1:helper"}),
        (unnamed, {"R2:waiting"}),
        (own_change, {"R2:waiting"}),
        (activity_in_japanese, {"R3:waiting"}),
        (activity_in_english, {"R3:waiting"}),
        (activity_indicator, {"R3:days-waited"}),
        (no_baseline, {"R4:days-waited"}),
        (late_baseline, {"R4:days-waited", "R4:mistakes-per-plan"}),
        (own_source, {"R4:days-waited"}),
        (bare_link, {"R5:built.waiting"}),
        (all_usage, {"R6:care-2026"}),
        (only_busy, {"R1:helper", "R7:relief"}),
        (one_sided, {"R8:waiting", "R5:built.waiting"}),
        (easy_target, {"G2:days-waited"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_rule_finds_what_it_is_for_and_nothing_else(change: Callable[[Data], None], expected: set[str]) -> None:
    warnings = {f"{one.rule}:{one.of}" for one in linted(sound(change)).findings if one.severity == "warning"}
    assert warnings == expected


def test_a_reason_stands_in_for_a_path_to_an_outcome() -> None:
    def reasoned(data: Data) -> None:
        without_results(data)
        data["goals"][0]["measures"][0]["no_outcome_reason"] = text("it only keeps the lights on")

    assert "R1:helper" not in rules(linted(sound(reasoned)))


def test_a_path_may_be_long_and_may_run_in_a_circle() -> None:
    def long_way(data: Data) -> None:
        del data["results"][1]["of"], data["results"][2]["of"]
        data["links"] += [
            {**data["links"][0], "from": "waiting", "to": "mistakes"},
            {**data["links"][0], "from": "mistakes", "to": "waiting"},
        ]

    assert not [one for one in rules(linted(sound(long_way))) if one.startswith("R1")]


def test_self_reported_values_are_fine_once_they_say_so() -> None:
    marked = linted(sound(own_source), observed(collector="self-reported"))
    assert "R4:days-waited" not in rules(marked)


def test_unanswered_questions_of_quality_are_notes() -> None:
    found = linted(sound(lambda data: data["indicators"][0].pop("quality")))
    (one,) = found.findings
    assert (one.rule, one.severity) == ("R4", "note")
    assert "5" in one.said.read("en")
    assert found.open == []


def test_an_indicator_nobody_observed_is_not_covered() -> None:
    found = linted(sound(), {})
    assert rules(found) == ["R9:days-waited", "R9:mistakes-per-plan"]
    (row,) = found.coverage
    assert (row.outcomes, row.indicators, row.with_data) == (2, ("mistakes-per-plan", "days-waited"), ())


def test_rates_piled_up_at_the_target_are_named() -> None:
    periods = [f"FY{year}" for year in range(2005, 2025)]

    def long_path(data: Data) -> None:
        del data["uses"][0]["baseline"]
        data["uses"][0]["path"] = [{"period": period, "value": 20} for period in periods]

    piled = {**observed(), "days-waited": seen("days-waited", dict.fromkeys(periods, 19.9))}
    assert "G1:care-2026" in rules(linted(sound(long_path), piled))
    spread = {**piled, "days-waited": seen("days-waited", {p: 19.5 + n / 20 for n, p in enumerate(periods)})}
    assert "G1:care-2026" not in rules(linted(sound(long_path), spread))


def test_a_weaker_target_and_a_swapped_indicator_are_named_with_the_version_before() -> None:
    easier = sound(lambda data: data["uses"][0]["target"].update(value=15))
    (one,) = linted(easier, before=sound()).findings
    assert (one.rule, one.of) == ("G3", "days-waited")
    assert one.said.read("en") == "“Days until the care plan”: the version before promised 10, this one 15"

    def swapped(data: Data) -> None:
        data["indicators"][0]["id"] = data["uses"][0]["indicator"] = "calls-answered"

    worse = {**observed(), "days-waited": seen("days-waited", {"FY2024": 30.0, "FY2025": 33.0})}
    worse["calls-answered"] = seen("calls-answered", {"FY2025": 20.0})
    assert "G4:calls-answered" in rules(linted(sound(swapped), worse, sound()))
    better = {**worse, "days-waited": observed()["days-waited"]}
    assert "G4:calls-answered" not in rules(linted(sound(swapped), better, sound()))


def test_the_version_before_is_the_one_that_the_plan_supersedes() -> None:
    edition = {"series": "care", "decided_on": "2027-01-01", "supersedes": "care-2026", "document": {"url": "u"}}
    easier = sound(lambda data: data["uses"][0]["target"].update(value=15), id="care-2027", edition=edition)
    found = lint(easier, {"care-2026": sound(), "care-2027": easier}, observed())
    assert rules(found) == ["G3:days-waited"]


def test_milestones_all_finished_on_their_very_last_day_are_noted() -> None:
    def punctual(data: Data) -> None:
        data["goals"][0]["measures"][0]["milestones"] = [
            {"id": f"m{n}", "title": text("M"), "due": f"2026-0{n}", "done": f"2026-0{n}-{day}"}
            for n, day in ((1, 31), (2, 28), (3, 31), (4, 30), (5, 11))
        ]

    (one,) = linted(sound(punctual)).findings
    assert (one.rule, one.severity) == ("G5", "note")
    assert one.said.read("en") == "4 of 5 milestones were finished on their very last day"


def test_a_decision_closes_a_finding_and_one_about_nothing_is_named() -> None:
    kept = {"rule": "R2", "of": "waiting", "reason": text("said in the annex"), "by": "mayor"}
    idle = {"rule": "R3", "of": "waiting", "reason": text("old"), "by": "mayor"}
    found = linted(sound(unnamed, decisions=[kept, idle]))
    assert rules(found) == ["R2:waiting"]
    assert found.open == []
    assert [one.rule for one in found.idle] == ["R3"]


@pytest.mark.parametrize(
    ("said", "words", "word"),
    [
        (Text(ja="ガイドラインを策定する"), ACTIVITY, "策定"),
        (Text(en="Ten meetings a year"), ACTIVITY, "meetings"),
        (Text(ja="待ち時間が減る", en="People wait less"), ACTIVITY, None),
        (Text(en="The household is held together"), ACTIVITY, "held"),
        (Text(ja="国民の生成ＡＩ利用率"), USAGE, "利用率"),
        (Text(en="Share of people who have used it"), USAGE, "have used"),
        (Text(en="Usefulness"), USAGE, None),
        (Text(ja="高齢者が取り残されない"), SAFEGUARD, "高齢者"),
        (Text(en="Complaints"), SAFEGUARD, "Complaints"),
    ],
)
def test_words_are_found_in_both_languages(said: Text, words: Any, word: str | None) -> None:
    assert first_word(said, words) == word


def test_the_shipped_plans_can_be_asked_every_rule() -> None:
    plans = higher_plans()
    for plan in plans.values():
        found = lint(plan, plans, {})
        for one in found.findings:
            assert one.said.read("ja") != one.said.read("en")
            assert "{" not in one.said.read("ja") + one.said.read("en")


@given(st.lists(st.floats(min_value=0.5, max_value=1.5), max_size=60))
def test_the_bunching_test_counts_and_stays_a_probability(rates: list[float]) -> None:
    found = bunching(rates)
    assert found.above == sum(0 <= rate - 1.0 < 0.05 for rate in rates)
    assert found.below == sum(-0.05 <= rate - 1.0 < 0 for rate in rates)
    assert 0 < found.p <= 1


def test_the_bunching_test_keeps_its_level_on_a_smooth_density() -> None:
    drawn = random.Random(7)  # noqa: S311 - a simulation, not a secret
    trials = 2_000
    wrong = sum(bunching([drawn.gauss(1.0, 0.2) for _ in range(60)]).p < 0.01 for _ in range(trials))
    assert wrong / trials < 0.02
    assert bunching([1.0 + drawn.random() * 0.04 for _ in range(12)]).p == pytest.approx(2**-12)


# ---- on the command line


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    scaffold(tmp_path / "town", name="town")
    monkeypatch.chdir(tmp_path / "town")
    monkeypatch.setenv("SHINRAI_LANG", "en")
    create("sqlite:///.shinrai/ledger.db", tmp_path / "town", "town").close()
    return tmp_path / "town"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return (ended.value.code if isinstance(ended.value.code, int) else 0), out or err


def test_the_command_says_where_and_exits_with_1_while_warnings_are_open(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = sound(unnamed).model_dump(mode="json", exclude_defaults=True)
    (workspace / "plans/plan.yaml").write_text(json.dumps({**plan, "owner": "mayor"}, indent=1), encoding="utf-8")
    text_ = (workspace / "shinrai.yaml").read_text(encoding="utf-8")
    assert "roles" in text_
    (workspace / "plans/plan.yaml").write_text(
        json.dumps(
            {**plan, "edition": {"series": "care", "decided_on": "2026-01-01", "document": {"url": "u"}}}, indent=1
        ),
        encoding="utf-8",
    )
    code, out = run(capsys, "plan", "lint")
    assert code == 1
    assert "“People wait less for a care plan” does not say who or what changes  plans/plan.yaml:" in out
    code, out = run(capsys, "--lang", "ja", "plan", "lint")
    assert "「ケアプランを待つ日数が減る」" in out


def test_json_carries_both_languages_and_the_matrix(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "plan", "lint", "jp-ai-basic-plan-2025", "--json")
    assert code == 1
    (plan,) = json.loads(out)["plans"]
    assert plan["plan"] == "jp-ai-basic-plan-2025"
    assert {"ja", "en"} <= plan["findings"][0]["message"].keys()
    assert plan["coverage"][0].keys() >= {"goal", "measure", "outcomes", "indicators", "with_data"}


def test_sarif_has_rules_places_and_suppressions(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "plan", "lint", "--sarif")
    assert code == 1
    log = json.loads(out)
    (sarif_run,) = log["runs"]
    names = [rule["id"] for rule in sarif_run["tool"]["driver"]["rules"]]
    assert names == list(RULES)
    for result in sarif_run["results"]:
        assert names[result["ruleIndex"]] == result["ruleId"]
        (place,) = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "plans/plan.yaml"
        assert place["physicalLocation"]["region"]["startLine"] >= 1


def test_an_unknown_plan_is_told_with_the_nearest_name(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "plan", "lint", "jp-ai-basic-plan-202")
    assert code == 2
    assert "did you mean jp-ai-basic-plan-202" in out


def test_a_target_is_held_against_its_own_place_not_against_others() -> None:
    plan = sound(area="JP")
    home = {"days-waited": seen("days-waited", {"FY2025": 9.0}, area="JP")}
    away = {
        "days-waited": [
            *seen("days-waited", {"FY2025": 28.0}, area="JP"),
            *seen("days-waited", {"FY2025": 2.0}, area="CN"),
        ]
    }
    rules = [{one.rule for one in lint(plan, {plan.id: plan}, values).findings} for values in (home, away)]
    assert "G2" in rules[0]
    assert "G2" not in rules[1]


def test_a_bare_link_is_named_in_words_of_both_languages_and_a_definition_once() -> None:
    def bare(data: dict[str, Any]) -> None:
        del data["links"][0]["mechanism"]
        data["indicators"][0]["quality"] = {}
        data["uses"].append({**data["uses"][0], "id": "again"})

    plan = sound(bare)
    found = lint(plan, {plan.id: plan}, observed()).findings
    (link,) = [one.said for one in found if one.rule == "R5"]
    assert "how it works (mechanism)" in link.read("en")
    assert "どう効くか (mechanism)" in link.read("ja")
    assert sum("five questions" in one.said.read("en") for one in found) == 1


@pytest.mark.parametrize(
    ("direction", "target", "said"),
    [
        ("down", 30, "is no other value than its baseline (30, FY2024)"),
        ("up", 30, "is no other value than its baseline (30, FY2024)"),
        ("down", 31, "is worse than its baseline"),
        ("up", 29.5, "is worse than its baseline"),
        ("down", 29.5, None),
        ("up", 31, None),
    ],
)
def test_a_target_that_is_its_own_baseline_is_found_before_anything_is_observed(
    direction: str, target: float, said: str | None
) -> None:
    def promised(data: Data) -> None:
        data["indicators"][0]["direction"] = direction
        data["uses"][0] |= {"target": {**data["uses"][0]["target"], "value": target}, "path": [], "path_basis": None}

    found = [one for one in linted(sound(promised), {}).findings if one.rule == "G2"]
    if said is None:
        assert found == []
    else:
        (one,) = found
        assert (one.of, one.place) == ("days-waited", ("uses", 0, "target"))
        assert said in one.said.read("en")
        assert "基準値" in one.said.read("ja")
        assert one.severity == "warning"
