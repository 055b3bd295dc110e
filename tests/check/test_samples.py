"""Samples of Inspect as trials, without Inspect: what each way to end becomes, and how epochs count together."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.check.scorers import Context, scorer
from shinrai.check.scorers.samples import of_samples
from shinrai.check.sources.inspect import _answer
from shinrai.check.targets.protocol import CallError
from shinrai.check.trials import asks_for
from shinrai.records import Call, Column, Includes, Item, Repeat, ScorerUse
from shinrai.source.inspect_samples import Sample, decode, row_of

READ = Column(id="column", column="score.right", rule="equals", value="C")
SAYS_TAX = Includes(id="includes", text="tax")
ITEM = Item("7", {"id": "7", "prompts": ["Where?"]})


def _sample(**told: Any) -> Sample:
    base = {"id": 7, "epoch": 1, "input": "Where?", "output": {"choices": [{"message": {"content": "tax"}}]}}
    return decode(msgspec.json.encode(base | told), Sample)


def _scored(use: ScorerUse, *calls: Call) -> tuple[str, str]:
    found = of_samples(use, scorer(use, Context()))(ITEM, [{}] * len(calls), calls)
    return found.outcome, found.detail


def _call(**told: Any) -> Call:
    answer = _answer(_sample(**told), "7#1")
    return Call("k", answer.end, answer.reply)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"limit": {"type": "message", "limit": 8}}, "limit-message"),
        ({"limit": {"type": "token"}, "scores": {"right": {"value": "I"}}}, "limit-token"),
        ({"error": {"message": "the desk is closed"}}, "sample-error"),
        ({"error": {"message": "no"}, "limit": {"type": "time"}}, "sample-error"),
        ({"invalidation": {"reason": "by hand"}}, "sample-error"),
        ({"output": {"choices": [], "error": "refused"}}, "sample-error"),
        ({"output": {"choices": []}}, "sample-error"),
    ],
)
def test_a_sample_that_did_not_come_to_its_end_is_an_error_and_not_a_failure(told: dict[str, Any], kind: str) -> None:
    with pytest.raises(CallError) as caught:
        _answer(_sample(**told), "7#1")
    assert (caught.value.kind, caught.value.retry) == (kind, False)
    missing = Call("k", "error", error=kind)
    assert _scored(READ, missing)[0] == _scored(SAYS_TAX, missing)[0] == "error"


def test_a_filtered_sample_is_blocked() -> None:
    choice = {"message": {"content": ""}, "stop_reason": "content_filter"}
    call = _call(output={"choices": [choice]})
    assert (call.end, call.reply) == ("blocked", None)
    assert _scored(READ, call)[0] == "blocked"


@pytest.mark.parametrize(
    ("scores", "outcome"),
    [
        ({"right": {"value": "C"}}, "pass"),
        ({"right": {"value": "I"}}, "fail"),
        ({"right": {"value": None}}, "invalid"),
        ({"right": {"value": {"part": 1}}}, "invalid"),
        ({"rights": {"value": "C"}}, "invalid"),
        ({}, "invalid"),
        (None, "invalid"),
    ],
)
def test_a_score_is_read_strictly(scores: Any, outcome: str) -> None:
    assert _scored(READ, _call(scores=scores))[0] == outcome


def test_a_score_that_is_not_a_number_is_none() -> None:
    text = msgspec.json.encode({"id": 1, "epoch": 1, "input": "x"})[:-1] + b',"scores":{"right":{"value":NaN}}}'
    row = row_of(decode(text, Sample), row_id="1", file="x")
    assert row.columns["score.right"] is None
    assert not any(isinstance(one, float) and math.isnan(one) for one in row.columns.values())


@given(st.lists(st.sampled_from(["C", "I", "error", "nothing"]), min_size=1, max_size=6))
def test_epochs_are_one_trial_that_fails_if_any_of_them_fails(said: list[str]) -> None:
    calls = [
        Call("k", "error", error="sample-error")
        if one == "error"
        else _call(scores=None if one == "nothing" else {"right": {"value": one}})
        for one in said
    ]
    outcome, _detail = _scored(READ, *calls)
    if "I" in said:
        assert outcome == "fail"
    else:
        assert outcome == ("error" if "error" in said else "invalid" if "nothing" in said else "pass")


def test_other_rules_read_the_last_reply() -> None:
    assert _scored(SAYS_TAX, _call())[0] == "pass"
    assert _scored(SAYS_TAX, _call(output={"choices": [{"message": {"content": "moon"}}]}))[0] == "fail"


def test_each_epoch_is_a_call_of_its_own() -> None:
    asks = asks_for("sample", Repeat(type="repeat", times=3))(ITEM)
    assert [ask.request for ask in asks] == [{"sample": "7", "epoch": number} for number in (1, 2, 3)]
    assert len({ask.key for ask in asks}) == 3
    assert [ask.key for ask in asks_for("sample", None)(ITEM)] == [asks[0].key]


def test_tokens_are_those_of_all_models_of_the_sample() -> None:
    usage = {"m": {"input_tokens": 14, "output_tokens": 6}, "other": {"input_tokens": 1, "output_tokens": 2}}
    answer = _answer(_sample(model_usage=usage), "7#1")
    assert (answer.tokens_in, answer.tokens_out) == (15, 8)
