"""Counterfactual, consistency, prediction, same-prediction, column."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from shinrai.check.scorers import Context, scorer
from shinrai.check.scorers.comparing import read_yes_no
from shinrai.errors import UsageError
from shinrai.records import Call, Item, ScorerUse

USE: TypeAdapter[ScorerUse] = TypeAdapter(ScorerUse)


def outcome(use: dict[str, object], *replies: object, **fields: object) -> str:
    rule = scorer(USE.validate_python(use), Context())
    calls = [Call(str(n), "ok", reply) for n, reply in enumerate(replies)]
    return rule(Item("i", fields), ["q"] * len(replies), calls).outcome


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Yes.", "yes"),
        ("yes, you can apply online", "yes"),
        ("**Yes**, you are eligible.", "yes"),
        ("Answer: yes", "yes"),
        ("“Yes”", "yes"),
        ("Of course!", "yes"),
        ("You are eligible for the allowance.", "yes"),
        ("Residents can apply at any time.", "yes"),
        ("Considering the rules of the town, the answer is yes.", "yes"),
        ("ＹＥＳ", "yes"),
        ("はい。", "yes"),
        ("はい、対象です。", "yes"),
        ("「はい」", "yes"),
        ("回答：はい", "yes"),
        ("対象です。", "yes"),
        ("申請できます。", "yes"),
        ("問題ありません。", "yes"),
        ("もちろん、受けられます。", "yes"),
        ("No", "no"),
        ("No, sorry.", "no"),
        ("Nope", "no"),
        ("You are not eligible.", "no"),
        ("You cannot apply twice.", "no"),
        ("Unfortunately, no.", "no"),
        ("no, you don't qualify", "no"),
        ("In short, the answer is: no", "no"),
        ("いいえ", "no"),
        ("いいえ、対象外です。", "no"),
        ("対象ではありません。", "no"),
        ("対象外です", "no"),
        ("申し訳ありませんが、申請できません。", "no"),
        ("必要ありません。", "no"),
        ("該当しません。", "no"),
        ("ﾊｲ、", None),
        ("", None),
        ("It depends on your income.", None),
        ("Yes and no.", None),
        ("yes/no", None),
        ("Yes, you are not eligible.", None),
        ("はい、対象ではありません。", None),
        ("いいえ、対象です。", None),
        ("No problem!", None),
        ("No. 5 on the list", None),
        ("収入によって異なります。", None),
        ("はいいいえ", None),
        ("申し訳ありません。", None),
        ("お答えできません。", None),
        ("I cannot answer that.", None),
        ("対象ですか？", None),
        ("はいしゃに行きます", None),
        ("対象の人と対象外の人がいます", "no"),
    ],
)
def test_reading_yes_and_no(reply: str, answer: str | None) -> None:
    assert read_yes_no(reply) == answer


@pytest.mark.parametrize("rule", ["consistency", "counterfactual"])
@pytest.mark.parametrize(
    ("compare", "replies", "result"),
    [
        ("yes-no", ("Yes.", "はい、できます。", "You can apply."), "pass"),
        ("yes-no", ("Yes.", "No."), "fail"),
        ("yes-no", ("はい", "はい", "いいえ"), "fail"),
        ("yes-no", ("Yes.", "It depends."), "invalid"),
        ("yes-no", ("Yes.", "No.", "It depends."), "invalid"),
        ("yes-no", ("It depends.", "It depends."), "invalid"),
        ("yes-no", ("Yes.", ""), "invalid"),
        ("yes-no", ("Yes.",), "invalid"),
        ("text", ("Ａ  b\n", "a B"), "pass"),
        ("text", ("a", "b"), "fail"),
        ("text", ("", ""), "invalid"),
        ("text", ("a", {"a": 1}), "invalid"),
    ],
)
def test_same_answers(rule: str, compare: str, replies: tuple[object, ...], result: str) -> None:
    assert outcome({"id": rule, "compare": compare}, *replies) == result


@pytest.mark.parametrize(
    ("use", "reply", "fields", "result"),
    [
        ({"equals": 1}, {"approved": 1}, {}, "pass"),
        ({"equals": 1}, {"approved": 1.0}, {}, "pass"),
        ({"equals": 1}, {"approved": 0}, {}, "fail"),
        ({"equals": True}, {"approved": 1}, {}, "invalid"),
        ({"equals": 1}, {"approved": "1"}, {}, "invalid"),
        ({"equals": "yes"}, {"approved": " yes"}, {}, "pass"),
        ({"equals": 1}, {"approved": None}, {}, "invalid"),
        ({"equals": 1}, {"approved": float("nan")}, {}, "invalid"),
        ({"equals": 1}, {"other": 1}, {}, "invalid"),
        ({"equals": 1}, "1", {}, "invalid"),
        ({"column": "truth"}, {"approved": 1}, {"truth": 1}, "pass"),
        ({"column": "truth"}, {"approved": 1}, {"truth": 0}, "fail"),
        ({"column": "truth"}, {"approved": 1}, {"truth": None}, "invalid"),
        ({"column": "truth"}, {"approved": 1}, {}, "invalid"),
    ],
)
def test_prediction(use: dict[str, Any], reply: object, fields: dict[str, Any], result: str) -> None:
    assert outcome({"id": "prediction", "field": "approved", **use}, reply, **fields) == result


def test_prediction_of_variants_needs_them_all() -> None:
    use: dict[str, object] = {"id": "prediction", "field": "a", "equals": 1}
    assert outcome(use, {"a": 1}, {"a": 1}) == "pass"
    assert outcome(use, {"a": 1}, {"a": 0}) == "fail"
    assert outcome(use, {"a": 0}, {}) == "invalid"


@pytest.mark.parametrize(
    ("replies", "result"),
    [
        (({"a": 1}, {"a": 1.0}, {"a": 1}), "pass"),
        (({"a": 1}, {"a": 1}, {"a": 0}), "fail"),
        (({"a": "x"}, {"a": "x "}), "pass"),
        (({"a": 1}, {"a": "1"}), "invalid"),
        (({"a": 1}, {"b": 1}), "invalid"),
        (({"b": 1}, {"b": 1}), "invalid"),
        (({"a": float("nan")}, {"a": float("nan")}), "invalid"),
        (({"a": 1},), "invalid"),
    ],
)
def test_same_prediction(replies: tuple[object, ...], result: str) -> None:
    assert outcome({"id": "same-prediction", "field": "a"}, *replies) == result


@pytest.mark.parametrize(
    ("rule", "value", "cell", "result"),
    [
        ("filled", None, "clerk", "pass"),
        ("filled", None, 0, "pass"),
        ("filled", None, None, "fail"),
        ("filled", None, "  ", "fail"),
        ("equals", "yes", "yes ", "pass"),
        ("equals", "yes", "no", "fail"),
        ("equals", "yes", None, "invalid"),
        ("equals", "1", 1, "invalid"),
        ("differs-from", "human", "approve", "pass"),
        ("differs-from", "human", "reject", "fail"),
        ("differs-from", "human", None, "invalid"),
        ("differs-from", "human", 1, "invalid"),
        ("at-least", 20, 20, "pass"),
        ("at-least", 20, 19.9, "fail"),
        ("at-least", 20, None, "invalid"),
        ("at-least", 20, "25", "invalid"),
        ("at-least", 20, True, "invalid"),
        ("at-most", 20, 20, "pass"),
        ("at-most", 20, 21, "fail"),
    ],
)
def test_column(rule: str, value: object, cell: object, result: str) -> None:
    use: dict[str, object] = {"id": "column", "column": "c", "rule": rule, "value": value}
    assert outcome(use, c=cell, human="reject") == result


def test_column_that_is_not_there_is_invalid() -> None:
    assert outcome({"id": "column", "column": "c", "rule": "filled"}, d=1) == "invalid"
    assert outcome({"id": "column", "column": "c", "rule": "differs-from", "value": "d"}, c=1) == "invalid"


@pytest.mark.parametrize(("rule", "value"), [("at-least", "20"), ("at-most", "x"), ("differs-from", 3)])
def test_column_value_that_does_not_go_with_the_rule(rule: str, value: object) -> None:
    with pytest.raises(UsageError) as refused:
        outcome({"id": "column", "column": "c", "rule": rule, "value": value}, c=1)
    assert refused.value.code == "scorer.bad-value"
