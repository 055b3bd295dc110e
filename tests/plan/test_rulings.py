from __future__ import annotations

from typing import Any

import pytest

from tests.plan.town import Town, measure

CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, tuple[bool, str]]]] = [
    ("contract", {}, {}, {"helper": (True, "every-system"), "screening": (True, "every-system")}),
    ("contract", {"systems": ["helper"]}, {}, {"helper": (True, "named"), "screening": (False, "named")}),
    ("contract", {}, {"systems": ["screening"]}, {"helper": (False, "narrowed"), "screening": (True, "narrowed")}),
    ("polite", {}, {}, {"helper": (True, "every-system"), "screening": (False, "kind")}),
    ("accurate", {}, {}, {"helper": (False, "kind"), "screening": (True, "every-system")}),
]


@pytest.mark.parametrize(("check", "of_measure", "of_claim", "expected"), CASES)
def test_each_claim_is_ruled_on_for_each_system_with_the_rule_and_a_reason(
    town: Town, check: str, of_measure: dict[str, Any], of_claim: dict[str, Any], expected: dict[str, tuple[bool, str]]
) -> None:
    town.measures = [measure("one", {"check": check, **of_claim}, **of_measure)]
    rulings = {claim.ruling.system: claim.ruling for claim in town.resolve().claims}
    assert {name: (ruling.applies, ruling.rule) for name, ruling in rulings.items()} == expected
    for ruling in rulings.values():
        assert ruling.claim == f"plan/goal/one/{check}"
        assert ruling.reason.ja
        assert ruling.reason.en


def test_opposite_rulings_never_share_a_reason(town: Town) -> None:
    reasons: dict[str, set[bool]] = {}
    for check, of_measure, of_claim, _expected in CASES:
        town.measures = [measure("one", {"check": check, **of_claim}, **of_measure)]
        for claim in town.resolve().claims:
            reasons.setdefault(claim.ruling.reason.read("en"), set()).add(claim.ruling.applies)
    assert all(len(applies) == 1 for applies in reasons.values())


def test_every_ruling_goes_into_the_ledger_once(town: Town) -> None:
    town.measures = [measure("one", "polite", "accurate", systems=["helper"])]
    town.plan()
    assert {key: ruling.applies for key, ruling in town.state.rulings.items()} == {
        "plan/goal/one/polite@helper": True,
        "plan/goal/one/polite@screening": False,
        "plan/goal/one/accurate@helper": False,
        "plan/goal/one/accurate@screening": False,
    }
    before = town.entries
    town.plan()
    assert town.entries == before
