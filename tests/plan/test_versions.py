from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.catalog import higher_plans
from shinrai.plan.versions import RULES, Change, Comparison, carried_forward, compare, json_patch
from shinrai.records import Plan
from tests.plan.national import SOUND, sound, text

Data = dict[str, Any]


def diff(old: Plan, new: Plan) -> Comparison:
    return compare(old, new, {old.id: old, new.id: new})


def changes(*edits: Callable[[Data], object]) -> list[Change]:
    return diff(sound(), sound(*edits)).changes


def measure(data: Data) -> Data:
    return data["goals"][0]["measures"][0]  # type: ignore[no-any-return]


def use(data: Data) -> Data:
    return data["uses"][0]  # type: ignore[no-any-return]


def another(name: str, **more: Any) -> Data:
    return {"id": name, "title": text(name), "owner": "care-office", **more}


def test_a_version_compared_with_itself_has_no_changes() -> None:
    assert changes() == []
    for plan in higher_plans().values():
        assert compare(plan, plan, higher_plans()).changes == []


@pytest.mark.parametrize(
    ("edit", "kind", "effect", "rule"),
    [
        (lambda d: measure(d).update(owner="town"), "owner-changed", "neutral", "D14-owner"),
        (lambda d: measure(d).pop("owner"), "owner-changed", "weaker", "D12-nobody-answers"),
        (lambda d: measure(d).update(co_owners=["town"]), "owner-changed", "neutral", "D14-owner"),
        (lambda d: measure(d).update(due="2031-03-31"), "deadline-later", "weaker", "D5-later"),
        (lambda d: measure(d).pop("due"), "deadline-later", "weaker", "D5-later"),
        (lambda d: measure(d).update(due="2029-03-31"), "deadline-earlier", "stronger", "D4-sooner"),
        (lambda d: measure(d).update(legal_force="voluntary"), "force-changed", "weaker", "D15-force"),
        (lambda d: measure(d).update(legal_force="statutory"), "force-changed", "stronger", "D15-force"),
        (lambda d: measure(d).update(number="2.7"), "moved", "neutral", "D20-place"),
        (
            lambda d: measure(d).update(title=text("An AI aid for care planning")),
            "text-changed",
            "unclear",
            "D19-words",
        ),
        (
            lambda d: measure(d).update(title=text("x", "ケアプラン作成を助けるAIを検討する")),
            "text-changed",
            "weaker",
            "D17-hedged",
        ),
        (lambda d: measure(d)["milestones"][0].update(due="2028-03-31"), "deadline-later", "weaker", "D5-later"),
        (lambda d: measure(d)["milestones"].clear(), "removed", "weaker", "D2-promise-removed"),
        (lambda d: use(d)["target"].update(value=8), "target-lowered", "stronger", "D6-target-better"),
        (lambda d: use(d)["target"].update(value=12), "target-raised", "weaker", "D7-target-worse"),
        (lambda d: use(d)["target"].update(period="FY2030"), "target-date-moved", "weaker", "D5-later"),
        (lambda d: use(d)["target"].update(period="FY2028"), "target-date-moved", "stronger", "D4-sooner"),
        (lambda d: use(d)["target"].pop("period"), "target-date-moved", "weaker", "D5-later"),
        (lambda d: use(d).pop("target"), "target-removed", "weaker", "D2-promise-removed"),
        (lambda d: use(d)["target"].update(standing="draft"), "standing-changed", "neutral", "D19-words"),
        (lambda d: use(d)["baseline"].update(value=25), "baseline-changed", "weaker", "D8-distance"),
        (lambda d: use(d)["baseline"].update(value=35), "baseline-changed", "stronger", "D8-distance"),
        (lambda d: use(d)["path"][0].update(value=24), "path-changed", "weaker", "D9-path"),
        (lambda d: use(d)["path"][0].update(value=20), "path-changed", "stronger", "D9-path"),
        (lambda d: d["results"][1].update(level="output"), "level-changed", "weaker", "D16-level"),
        (lambda d: d["links"].clear(), "removed", "neutral", "D23-link"),
        (lambda d: d["indicators"][0].update(unit="hours"), "definition-changed", "unclear", "D11-definition"),
        (
            lambda d: d["indicators"][0].update(population=text("towns only")),
            "definition-changed",
            "unclear",
            "D11-definition",
        ),
        (lambda d: d.update(owner="ministry"), "owner-changed", "neutral", "D14-owner"),
    ],
)
def test_each_change_is_named_with_its_effect_and_the_rule(
    edit: Callable[[Data], object], kind: str, effect: str, rule: str
) -> None:
    (change,) = changes(edit)
    assert (change.kind, change.effect, change.rule) == (kind, effect, rule)
    assert change.before != change.after
    json.dumps(change.to_json())


def test_what_width_and_blanks_alone_change_is_no_change() -> None:
    assert (
        changes(
            lambda d: measure(d).update(title=text("An AI helper  for care planning", "ケアプラン作成を助けるＡＩ"))
        )
        == []
    )


def test_a_translation_that_was_not_there_before_is_no_change() -> None:
    assert changes(lambda d: d["goals"][0].update(title={"en": "Families are relieved"})) == []


def test_a_path_that_is_better_here_and_worse_there_is_unclear() -> None:
    (change,) = changes(
        lambda d: use(d).update(path=[{"period": "FY2026", "value": 20}, {"period": "FY2027", "value": 19}])
    )
    assert change.effect == "unclear"


@pytest.mark.parametrize(
    ("value", "period", "effect"), [(5, "FY2034", "weaker"), (5, "FY2030", "stronger"), (10, "FY2029", None)]
)
def test_where_target_and_date_move_the_yearly_pace_decides(value: float, period: str, effect: str | None) -> None:
    def edit(data: Data) -> None:
        data["period"]["end"] = "2040-12-31"
        use(data)["target"].update(value=value, period=period)

    found = {change.kind: change for change in changes(edit) if change.part == "use"}
    assert {change.effect for change in found.values()} == ({effect} if effect else set())
    assert all(change.rule == "D22-date-and-target" for change in found.values())


def test_the_same_number_is_better_or_worse_by_the_direction_of_the_indicator() -> None:
    def upwards(data: Data) -> None:
        data["indicators"][0]["direction"] = "up"

    def raised(data: Data) -> None:
        use(data)["target"]["value"] = 20

    old = sound(upwards)
    (up,) = diff(old, sound(upwards, raised)).changes
    (down,) = diff(sound(), sound(raised)).changes
    assert (up.kind, up.effect) == ("target-raised", "stronger")
    assert (down.kind, down.effect) == ("target-raised", "weaker")
    turned = [change for change in diff(sound(), sound(upwards, raised)).changes if change.kind == "target-raised"]
    assert [(change.effect, change.rule) for change in turned] == [("unclear", "D24-no-direction")]


def test_a_band_is_never_judged_by_more_or_less() -> None:
    def banded(data: Data) -> None:
        data["indicators"][0].update(direction="band", band=[5, 10])

    def raised(data: Data) -> None:
        use(data)["target"]["value"] = 11

    (change,) = diff(sound(banded), sound(banded, raised)).changes
    assert change.effect == "unclear"


def test_an_indicator_that_comes_in_anothers_place_is_a_replacement() -> None:
    def swapped(data: Data) -> None:
        data["indicators"][0]["id"] = use(data)["indicator"] = "calls-answered"

    (change,) = changes(swapped)
    assert (change.kind, change.effect, change.before, change.after) == (
        "indicator-replaced",
        "unclear",
        "days-waited",
        "calls-answered",
    )


def test_measures_are_added_removed_moved_and_renamed_by_id() -> None:
    def two_goals(data: Data) -> None:
        data["goals"].append({"id": "trust", "title": text("Trust"), "measures": [another("audit")]})

    def shuffled(data: Data) -> None:
        two_goals(data)
        data["goals"][1]["measures"] = [measure(data), another("training")]
        data["goals"][0]["measures"] = []

    found = {(one.kind, one.part, one.id): one for one in diff(sound(two_goals), sound(shuffled)).changes}
    assert found.keys() == {
        ("moved", "measure", "helper"),
        ("added", "measure", "training"),
        ("removed", "measure", "audit"),
    }
    moved = found["moved", "measure", "helper"]
    assert (moved.before, moved.after) == ("relief", "trust")


def test_a_new_id_that_remembers_the_old_one_is_the_same_measure() -> None:
    (change,) = changes(
        lambda d: measure(d).update(id="planner", also_known_as=["helper"]),
        lambda d: [node.update(of=["planner"]) for node in d["results"]],
    )[:1]
    assert (change.kind, change.field, change.before, change.after) == ("moved", "id", "helper", "planner")


def test_splitting_and_merging_are_recorded_and_weigh_nothing() -> None:
    def split(data: Data) -> None:
        data["goals"][0]["measures"] = [another("drafts", replaces=["helper"]), another("advice", replaces=["helper"])]
        data.update(results=[], links=[], uses=[])

    found = {change.kind: change for change in changes(split) if change.part == "measure"}
    assert found.keys() == {"split"}
    assert found["split"].related == ("drafts", "advice")

    def merged(data: Data) -> None:
        data["goals"][0]["measures"] = [another("all", replaces=["drafts", "advice"])]
        data.update(results=[], links=[], uses=[])

    (one,) = [change for change in diff(sound(split), sound(merged)).changes if change.part == "measure"]
    assert (one.kind, one.id, one.related, one.effect) == ("merged", "all", ("drafts", "advice"), "neutral")


def test_a_measure_that_lives_on_beside_its_part_is_split() -> None:
    def part(data: Data) -> None:
        data["goals"][0]["measures"].append(another("advice", replaces=["helper"]))

    (one,) = changes(part)
    assert (one.kind, one.id, one.related) == ("split", "helper", ("helper", "advice"))


def test_what_was_done_before_it_left_takes_nothing_away() -> None:
    done = sound(lambda d: measure(d)["milestones"][0].update(done="2027-01"))
    gone = sound(lambda d: measure(d)["milestones"].clear())
    (change,) = diff(done, gone).changes
    assert (change.kind, change.effect, change.rule) == ("removed", "neutral", "D3-done-before-removed")


def test_a_reason_with_evidence_answers_for_a_change_and_a_mere_word_does_not() -> None:
    def easier(data: Data) -> None:
        use(data)["target"]["value"] = 15

    def stated(*evidence: str) -> Callable[[Data], object]:
        reason = {"of": "days-waited", "reason": text("the survey came late"), "evidence": list(evidence)}
        return lambda data: data.update(reasons=[reason])

    assert [one.id for one in diff(sound(), sound(easier)).without_evidence()] == ["days-waited"]
    assert [one.id for one in diff(sound(), sound(easier, stated())).without_evidence()] == ["days-waited"]
    answered = diff(sound(), sound(easier, stated("obs:days-waited/FY2025")))
    assert answered.without_evidence() == []
    assert answered.reason(answered.changes[0]) is not None


def test_neutral_changes_need_no_evidence() -> None:
    assert diff(sound(), sound(lambda d: measure(d).update(number="9"))).without_evidence() == []


def test_red_findings_without_any_change_are_named() -> None:
    comparison = diff(sound(), sound(lambda d: use(d)["target"].update(value=15)))
    red = {"days behind": ["days-waited"], "mistakes rise": ["mistakes-per-plan"], "helper fails": ["helper"]}
    assert comparison.unanswered(red) == ["mistakes rise", "helper fails"]


@pytest.mark.parametrize(
    ("edit", "now", "moved_to"),
    [
        (lambda d: measure(d)["milestones"].clear(), "dropped", None),
        (lambda d: measure(d)["milestones"][0].update(due="2028-03-31"), "later", "2028-03-31"),
        (dict, "open", "2027-03-31"),
    ],
)
def test_a_milestone_missed_and_then_dropped_is_a_debt(
    edit: Callable[[Data], object], now: str, moved_to: str | None
) -> None:
    comparison = diff(sound(), sound(edit))
    (debt,) = carried_forward(comparison, date(2027, 6, 1), ())
    assert (debt.part, debt.id, debt.due, debt.now, debt.moved_to) == (
        "milestone",
        "pilot",
        "2027-03-31",
        now,
        moved_to,
    )
    assert carried_forward(comparison, date(2027, 3, 31), ()) == [], "on its last day it is not missed yet"


def test_a_milestone_done_late_is_no_debt() -> None:
    done = sound(lambda d: measure(d)["milestones"][0].update(done="2027-05"))
    assert carried_forward(diff(sound(), done), date(2027, 6, 1), ()) == []


@pytest.mark.parametrize(
    ("edit", "now"),
    [
        (lambda d: use(d).pop("target"), "dropped"),
        (lambda d: use(d)["target"].update(period="FY2031"), "later"),
        (lambda d: use(d)["target"].update(value=20), "lowered"),
        (dict, "open"),
    ],
)
def test_a_target_missed_and_then_moved_is_a_debt(edit: Callable[[Data], object], now: str) -> None:
    (debt,) = carried_forward(diff(sound(), sound(edit)), date(2026, 6, 1), {"days-waited"})
    assert (debt.part, debt.id, debt.due, debt.now) == ("use", "days-waited", "FY2029", now)


def test_every_rule_that_is_used_is_written_down() -> None:
    plans = higher_plans()
    first, second = plans["jp-ai-basic-plan-2025"], plans["jp-ai-basic-plan-2026"]
    comparison = compare(first, second, plans)
    assert comparison.changes
    assert {change.rule for change in comparison.changes} <= RULES.keys()
    assert sum(comparison.effects().values()) == len(comparison.changes)


# ---- properties


def _edits() -> st.SearchStrategy[Data]:
    """Give plans that are like the sound one, with measures, targets and texts drawn anew."""

    def made(numbers: list[int], value: float, owner: str | None, words: str) -> Data:
        data = deepcopy(SOUND)
        data["goals"][0]["measures"] = [another(f"m{n}", number=str(n)) for n in dict.fromkeys(numbers)]
        if owner is not None and numbers:
            data["goals"][0]["measures"][0]["owner"] = owner
        for node in data["results"]:
            node["of"] = []
            node["title"] = text(words)
        use(data)["target"]["value"] = value
        return data

    numbers = st.lists(st.integers(0, 5), max_size=5)
    return st.builds(
        made, numbers, st.sampled_from([8.0, 10.0, 12.0]), st.sampled_from(["a", "b"]), st.sampled_from("xy")
    )


@given(_edits(), _edits())
def test_going_back_undoes_what_going_forth_did(one: Data, other: Data) -> None:
    old, new = Plan.model_validate(one), Plan.model_validate(other)
    forth, back = diff(old, new).changes, diff(new, old).changes
    mirror = {"stronger": "weaker", "weaker": "stronger"}
    opposite = {
        "added": "removed",
        "removed": "added",
        "target-raised": "target-lowered",
        "target-lowered": "target-raised",
    }
    assert sorted(
        (opposite.get(c.kind, c.kind), c.part, c.id, mirror.get(c.effect, c.effect)) for c in forth
    ) == sorted((c.kind, c.part, c.id, c.effect) for c in back)
    assert bool(forth) == (
        {m.id for m in old.measures()} != {m.id for m in new.measures()}
        or any(a.owner != b.owner for a in old.measures() for b in new.measures() if a.id == b.id)
        or old.uses != new.uses
        or old.results != new.results
    )


def applied(document: Any, operations: list[dict[str, Any]]) -> Any:
    """Carry out a patch, independently of how it was made."""
    holder = {"": deepcopy(document)}
    for operation in operations:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")]
        at: Any = holder
        for step in steps[:-1]:
            at = at[int(step)] if isinstance(at, list) else at[step]
        last = int(steps[-1]) if isinstance(at, list) else steps[-1]
        if operation["op"] == "remove":
            del at[last]
        elif operation["op"] == "add" and isinstance(at, list):
            assert 0 <= last <= len(at)
            at.insert(last, operation["value"])
        else:
            assert operation["op"] == "add" or isinstance(at, list) or last in at
            at[last] = operation["value"]
    return holder[""]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0]) | st.text("ab/~", max_size=2),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text("ab/~", max_size=2), below, max_size=3),
    max_leaves=12,
)


@given(JSON, JSON)
def test_a_patch_makes_the_one_out_of_the_other(before: Any, after: Any) -> None:
    operations = json_patch(before, after)
    assert json.dumps(applied(before, operations), sort_keys=True) == json.dumps(after, sort_keys=True)
    assert json_patch(before, before) == []


def test_an_entry_put_in_the_middle_is_one_operation() -> None:
    assert json_patch([1, 2, 3], [1, 9, 2, 3]) == [{"op": "add", "path": "/1", "value": 9}]
    assert json_patch({"a/b": 1}, {"a/b": True}) == [{"op": "replace", "path": "/a~1b", "value": True}]


def test_what_is_not_in_a_text_that_nobody_has_read_is_neither_removed_nor_new() -> None:
    def edition(**more: str) -> Data:
        return {"series": "care", "decided_on": "2026-01-01", "document": {"url": "https://example.org/plan", **more}}

    def gone(data: Data) -> None:
        data["goals"][0]["measures"] = [another("training")]
        data.update(results=[], links=[], uses=[])

    heard_of = sound(gone, id="care-2027", edition=edition())
    found = {
        (one.id, one.kind, one.effect, one.rule) for one in diff(sound(), heard_of).changes if one.part == "measure"
    }
    assert found == {
        ("helper", "not-found", "unclear", "D25-text-not-read"),
        ("training", "added", "stronger", "D1-promise-added"),
    }
    (debt,) = carried_forward(diff(sound(), heard_of), date(2027, 6, 1), ())
    assert debt.now == "unknown"
    back = {(one.id, one.kind) for one in diff(heard_of, sound()).changes if one.part == "measure"}
    assert back == {("helper", "not-found"), ("training", "removed")}
    read = sound(gone, id="care-2027", edition=edition(digest="sha256:" + "0" * 64))
    assert {one.kind for one in diff(sound(), read).changes if one.part == "measure"} == {"added", "removed"}
