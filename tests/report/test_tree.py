"""The tree: counts that add up, and nothing but counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from shinrai.report.story import last_day
from shinrai.report.tree import Node, ruled_out, tree
from tests.report.town import ReportTown


def grown(town: ReportTown, today: date | None = None) -> list[Node]:
    titles = {system.id: system.title for system in town.workspace.systems.values()}
    return tree(town.workspace.plans.values(), titles, town.state, today or last_day(town.state))


def nodes(trees: list[Node]) -> Iterator[Node]:
    for node in trees:
        yield node
        yield from nodes(node.children)


def test_counts_add_up_and_nothing_is_lost(town: ReportTown) -> None:
    claims = town.state.claims(last_day(town.state))
    trees = grown(town)
    for node in nodes(trees):
        below: Counter[Any] = Counter(claim.status for claim in node.claims)
        for child in node.children:
            below.update(child.counts)
        assert node.counts == below
        assert all(isinstance(count, int) and count > 0 for count in node.counts.values())
    (plan,) = trees
    assert plan.counts == Counter(claim.status for claim in claims)
    leaves = [claim.key for node in nodes(trees) for claim in node.claims]
    assert sorted(leaves) == sorted(town.state.rulings)
    assert plan.counts["not_applicable"] == 6
    assert plan.counts["not_measured"] == plan.counts["stale"] == plan.counts["accepted"] == 1


def test_an_acceptance_that_has_ended_counts_as_broken_again(town: ReportTown) -> None:
    (plan,) = grown(town, date(2100, 1, 1))
    assert "accepted" not in plan.counts
    assert plan.counts["violated"] == 1


def test_branches_hang_where_the_plan_put_them(town: ReportTown) -> None:
    assert [(node.kind, node.id) for node in nodes(grown(town))] == [
        ("plan", "plan"),
        ("goal", "numbers"),
        ("measure", "adds"),
        ("system", "adder"),
        ("system", "helper"),
        ("goal", "words"),
        ("measure", "talks"),
        ("system", "adder"),
        ("system", "helper"),
    ]
    for node in nodes(grown(town)):
        assert all(claim.ruling.system == node.id for claim in node.claims)


def test_as_json_a_branch_has_counts_and_never_a_mean(town: ReportTown) -> None:
    def check(branch: dict[str, Any]) -> None:
        assert set(branch) == {"kind", "id", "title", "counts", "implements", "children", "claims"}
        assert all(type(count) is int for count in branch["counts"].values())
        for claim in branch["claims"]:
            assert "trace" not in (claim["verdict"] or {})
        for child in branch["children"]:
            check(child)

    for node in grown(town):
        check(node.to_json())


def test_what_is_ruled_out_is_said_once_for_each_system_and_reason(town: ReportTown) -> None:
    claims = town.state.claims(last_day(town.state))
    gathered = ruled_out(claims)
    assert [(out.system, len(out.claims)) for out in gathered] == [("helper", 3), ("adder", 2), ("adder", 1)]
    assert len({(out.system, out.reason) for out in gathered}) == len(gathered)
    together = [claim.key for out in gathered for claim in out.claims]
    assert sorted(together) == sorted(claim.key for claim in claims if claim.status == "not_applicable")
