"""Risk decides depth: stricter than the plan wherever it asks for more, lighter only where the plan says nothing."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shinrai import act
from shinrai.errors import SourceError
from shinrai.plan.resolved import ClaimPlan
from shinrai.report.deciding import waiting
from shinrai.rules.applying import risk
from tests.plan.town import TODAY, Town, measure, text

KEY = "plan/goal/chatting/polite@helper"

SCHEME: dict[str, Any] = {
    "id": "ours",
    "title": text("Ours"),
    "issuer": text("us"),
    "sources": [{"title": text("here"), "certainty": "official"}],
    "certainty": "official",
    "tiers": [
        {"id": "low", "title": text("Low"), "depth": "fast-lane"},
        {"id": "some", "title": text("Some"), "depth": "standard"},
        {"id": "high", "title": text("High"), "depth": "deep"},
        {"id": "no", "title": text("No"), "depth": "forbidden"},
    ],
    "otherwise": "low",
    "rules": [
        {"id": "r1", "tier": "some", "when": [{"fact": "autonomy", "equals": "proposes"}], "why": text("it proposes")},
        {"id": "r2", "tier": "high", "when": [{"fact": "autonomy", "equals": "acts-alone"}], "why": text("it acts")},
        {"id": "r3", "tier": "no", "when": [{"fact": "owner", "equals": "nobody"}], "why": text("never")},
    ],
}
DEPTHS: dict[str, Any] = {
    "id": "depths",
    "title": text("Depths"),
    "depths": [
        {"depth": "fast-lane", "title": text("F"), "why": text("f"), "alpha": 0.1, "most_trials": 20},
        {"depth": "standard", "title": text("S"), "why": text("s"), "repeat_days": 30, "accept_days": 60},
        {
            "depth": "deep",
            "title": text("D"),
            "why": text("d"),
            "alpha": 0.01,
            "trials": 50,
            "accepts": ["office"],
            "accept_days": 10,
            "claims": [
                {"check": "polite", "stage": "development", "threshold": 0.05},
                {"check": "safe", "stage": "before-release"},
                {"check": "contract", "stage": "operation"},
                {"check": "accurate", "stage": "development"},
            ],
        },
        {"depth": "forbidden", "title": text("N"), "why": text("n"), "accept_days": 0},
    ],
}


@pytest.fixture
def risky(town: Town) -> Town:
    town.put("risk/ours.yaml", json.dumps(SCHEME))
    town.put("risk-depth.yaml", json.dumps(DEPTHS))
    town.settings["risk"] = ["ours"]
    town.systems["helper"]["autonomy"] = "informs"
    town.systems["screening"]["autonomy"] = "informs"
    return town


def polite(town: Town, use: dict[str, Any] | None = None) -> ClaimPlan:
    town.measures = [measure("chatting", {"check": "polite", **(use or {})}, systems=["helper"])]
    return next(claim for claim in town.resolve().claims if claim.key == KEY)


def test_without_a_scheme_nothing_changes(town: Town) -> None:
    claim = polite(town)
    assert claim.commitment is not None
    assert claim.commitment.alpha == 0.05
    assert claim.commitment.repeat_days is None
    assert "risk" not in set((claim.origins or {}).values())
    assert "repeat_days" not in claim.commitment.to_json()


def test_a_fast_lane_is_lighter_where_the_plan_says_nothing(risky: Town) -> None:
    light = polite(risky)
    assert light.commitment is not None
    assert (light.commitment.alpha, light.commitment.budget) == (0.1, 20)
    assert (light.origins or {})["alpha"] == (light.origins or {})["budget"] == "risk"
    own = polite(risky, {"alpha": 0.02, "budget": 40})
    assert own.commitment is not None
    assert (own.commitment.alpha, own.commitment.budget) == (0.02, 40)
    assert (own.origins or {})["alpha"] == "claim"


def test_a_deep_one_is_stricter_than_the_plan(risky: Town) -> None:
    risky.systems["helper"]["autonomy"] = "acts-alone"
    strict = polite(risky, {"alpha": 0.1, "budget": 10, "threshold": 0.3})
    assert strict.commitment is not None
    assert (strict.commitment.alpha, strict.commitment.budget) == (0.01, 50)
    assert strict.commitment.threshold == 0.05
    stricter = polite(risky, {"alpha": 0.005, "threshold": 0.02})
    assert stricter.commitment is not None
    assert (stricter.commitment.alpha, stricter.commitment.threshold) == (0.005, 0.02)


def test_what_is_due_and_not_planned_is_said_by_stage(risky: Town) -> None:
    risky.systems["helper"]["autonomy"] = "acts-alone"
    for stage, due in (
        ("idea", []),
        ("development", []),
        ("before-release", ["safe"]),
        ("operation", ["safe", "contract"]),
        ("retirement", []),
        (None, ["safe", "contract"]),
    ):
        risky.systems["helper"].pop("stage", None)
        if stage:
            risky.systems["helper"]["stage"] = stage
        risky.measures = [measure("chatting", "polite")]
        notes = [note.message for note in risky.resolve().notes if note.code == "plan.due-not-planned"]
        assert [next(name for name in ("safe", "contract") if name in note) for note in notes] == due, stage


def test_what_is_not_stated_is_said(risky: Town) -> None:
    del risky.systems["helper"]["autonomy"]
    resolution = risky.resolve()
    assert any(note.code == "plan.risk-not-settled" and "autonomy" in note.message for note in resolution.notes)
    assert resolution.risks["helper"].depth is not None
    assert resolution.risks["helper"].depth.depth == "deep"


def test_a_verdict_is_stale_after_its_days(risky: Town) -> None:
    risky.systems["helper"]["autonomy"] = "proposes"
    polite(risky)
    risky.plan()
    risky.judge(KEY, "met")
    day = date.fromisoformat(risky.state.judgements[KEY][-1].at[:10])
    assert risky.state.claim(KEY, day + timedelta(days=30)).status == "met"
    late = risky.state.claim(KEY, day + timedelta(days=31))
    assert (late.status, late.stale_because) == ("stale", "expired")


@pytest.mark.parametrize(
    ("autonomy", "role", "until", "code"),
    [
        ("proposes", "mayor", TODAY + timedelta(days=60), None),
        ("proposes", "mayor", TODAY + timedelta(days=61), "act.accepted-for-too-long"),
        ("acts-alone", "mayor", TODAY, "act.role-may-not-accept-this"),
        ("informs", "mayor", TODAY + timedelta(days=999), None),
    ],
)
def test_who_may_accept_a_risk_and_for_how_long(
    autonomy: str, role: str, until: date, code: str | None, risky: Town
) -> None:
    risky.systems["helper"]["autonomy"] = autonomy
    polite(risky)
    risky.plan()
    risky.judge(KEY, "violated")
    act.sync(risky.ledger, risky.load())
    risky.accept("it", KEY, until=until.isoformat(), role=role)
    if code is None:
        act.apply(risky.ledger, risky.load(), "it", TODAY)
        return
    with pytest.raises(SourceError) as refused:
        act.apply(risky.ledger, risky.load(), "it", TODAY)
    assert refused.value.code == code


def test_a_prohibited_use_cannot_be_accepted(risky: Town) -> None:
    polite(risky)
    risky.plan()
    risky.judge(KEY, "violated")
    act.sync(risky.ledger, risky.load())
    risky.systems["helper"]["owner"] = "nobody"
    risky.settings["roles"].append({"id": "nobody", "title": text("Nobody")})
    risky.accept("it", KEY, until=TODAY.isoformat())
    assert any(note.code == "plan.forbidden-use" for note in risky.resolve().notes)
    with pytest.raises(SourceError) as refused:
        act.apply(risky.ledger, risky.load(), "it", TODAY)
    assert refused.value.code == "act.not-acceptable"


def test_hours_from_intake_to_decision_stand_beside_risk(risky: Town) -> None:
    polite(risky)
    risky.plan()
    state = risky.state
    begin = datetime.fromisoformat(state.version_at["helper", 1])
    found = risk(risky.load(), risky.load().systems["helper"], TODAY)
    later = begin + timedelta(hours=5)
    before = waiting(found, state, state.claims(TODAY), later)
    assert (before.hours, before.claims, before.decided, before.is_open) == (5.0, 1, 0, True)
    risky.judge(KEY, "undecided")
    assert waiting(found, risky.state, risky.state.claims(TODAY), later).is_open
    risky.judge(KEY, "violated")
    done = waiting(found, risky.state, risky.state.claims(TODAY), later)
    assert not done.is_open
    assert done.hours is not None
    assert done.hours < 5
    assert done.to_json()["depth"] == "fast-lane"
