"""From a log of decisions to a verdict, through the checks that the catalog ships and the real rooms."""

from __future__ import annotations

import pytest

from shinrai import check, do
from shinrai.records import Budget, Verdict
from tests.plan.town import Town, measure

CLAIMS = ("human-review", "override-band", "review-time")


def verdicts(town: Town, log: list[str]) -> dict[str, Verdict]:
    town.measures = [measure("oversight", *CLAIMS, systems=["screening"])]
    path = town.put("decisions.csv", "\n".join(["case,ai_output,human_decision,reviewer_role,seconds", *log]))
    do.import_file(town.ledger, town.load(), path, "screening")
    town.plan()
    found = check.check(town.root, town.ledger, systems=None, claims=None, budget=Budget(), tell=None)
    return {verdict.claim.rpartition("/")[2]: verdict for verdict in found}


def row(number: int, *, reviewed: bool = True, overridden: bool = False, seconds: int = 60) -> str:
    human = ("no" if overridden else "yes") if reviewed else ""
    return f"c{number},yes,{human},{'clerk' if reviewed else ''},{seconds if reviewed else ''}"


def test_a_house_that_reviews_carefully_keeps_its_promises(town: Town) -> None:
    found = verdicts(town, [row(number, overridden=number % 10 == 0) for number in range(400)])
    assert {name: verdict.status for name, verdict in found.items()} == dict.fromkeys(CLAIMS, "met")
    assert all(verdict.retrospective for verdict in found.values())
    assert all(verdict.calls == 0 for verdict in found.values())


@pytest.mark.parametrize(
    ("claim", "log"),
    [
        ("human-review", [row(number, reviewed=number % 2 == 0, overridden=number % 10 == 0) for number in range(400)]),
        ("override-band", [row(number) for number in range(400)]),
        ("override-band", [row(number, overridden=number % 2 == 0) for number in range(400)]),
        ("review-time", [row(number, seconds=3, overridden=number % 10 == 0) for number in range(400)]),
    ],
    ids=["unreviewed", "nodding", "useless", "hasty"],
)
def test_what_goes_wrong_is_found(town: Town, claim: str, log: list[str]) -> None:
    found = verdicts(town, log)
    broken = {name for name, verdict in found.items() if verdict.status == "violated"}
    assert broken == {claim}
