"""What a promise about dialogues pins, and what it costs at worst."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plan.town import ENDPOINT, HELPER, PROMPTS, TODAY, Town, check, measure

DRIVER = {"system": "pushy", "instruction": {"en": "Insist.", "ja": "引き下がらないでください。"}}


@pytest.fixture
def talking(town: Town) -> Town:
    town.put("data/openings.jsonl", "".join(f'{{"id": "o{n}", "prompts": "may I {n}"}}\n' for n in range(100)))
    town.checks["firm"] = check(
        *("firm", "failure-rate", "at-most", 0.1),
        applies_to="chat",
        data={"file": "data/openings.jsonl"},
        scorer={"id": "refusal"},
        dialogue={"turns": 4, "driver": DRIVER},
    )
    town.systems["pushy"] = {**HELPER, "id": "pushy", "stack": [{**ENDPOINT, "model": "pushy"}]}
    town.measures = [measure("chatting", "firm", systems=["helper"])]
    town.plan()
    return town


def key(town: Town) -> str:
    (found,) = town.state.promises
    return found


def test_turns_of_both_are_counted(talking: Town) -> None:
    (firm,) = (one for one in talking.resolve().claims if one.effort)
    assert firm.effort is not None
    assert firm.effort.calls == 100 * (4 + 3)
    assert firm.effort.expected_trials is not None
    assert firm.effort.expected_calls == 7 * firm.effort.expected_trials
    assert talking.resolve().calls == firm.effort.calls


@pytest.mark.parametrize(
    "change",
    [
        {"turns": 5, "driver": DRIVER},
        {"turns": 4, "driver": {**DRIVER, "instruction": {"en": "Insist!"}}},
        {"turns": 4, "driver": {**DRIVER, "stop": "END"}},
        {"turns": 4, "driver": DRIVER, "scored": "worst"},
        {"turns": 4},
        None,
    ],
    ids=["limit", "instruction", "stop", "scored", "no driver", "another model behind the driver"],
)
def test_whatever_drives_a_dialogue_makes_another_promise(talking: Town, change: dict[str, Any] | None) -> None:
    talking.judge(key(talking), "met")
    if change is None:
        talking.systems["pushy"]["stack"] = [{**ENDPOINT, "model": "pushier"}]
    else:
        talking.checks["firm"]["dialogue"] = change
    (firm,) = (one for one in talking.resolve().claims if one.effort)
    assert (firm.change, "dialogue" in firm.changed) == ("replaced", True)
    talking.plan()
    (claim,) = (one for one in talking.state.claims(TODAY) if one.promise)
    assert claim.status == "stale"


def test_single_questions_keep_the_promise_that_they_had(town: Town) -> None:
    """A field that a promise does not use does not change its name."""
    town.plan()
    (promise,) = town.state.promises.values()
    assert "dialogue" not in promise.commitment.to_json()
    assert PROMPTS["file"] == promise.commitment.to_json()["data"]["use"]["file"]
