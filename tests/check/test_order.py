from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.check.order import committed_order
from shinrai.check.trials import NotAskable, asks_for, call_key, calls_needed
from shinrai.errors import UsageError
from shinrai.records import Commitment, CommittedData, DataUse, Groups, Item, Perturb, Repeat, Swap

ROWS = [
    Item(f"i{number}", {"id": f"i{number}", "lang": "ja" if number % 3 else "en", "flag": number % 2, "prompts": ["?"]})
    for number in range(90)
]


def commitment(use: dict[str, object], groups: Groups | None = None, seed: int = 7) -> Commitment:
    data = CommittedData(use=DataUse.model_validate({"file": "x.jsonl", **use}), digest="sha256:" + "0" * 64, items=90)
    return Commitment.model_validate(
        {
            "claim": "p/g/m/c",
            "system": "s",
            "fingerprint": "sha256:" + "0" * 64,
            "check": "c",
            "check_version": "1",
            "title": {"en": "c"},
            "statement": {"en": "c"},
            "metric": "rate-ratio" if groups else "failure-rate",
            "comparator": "at-least" if groups else "at-most",
            "threshold": 0.8,
            "alpha": 0.05,
            "budget": 90,
            "order_seed": seed,
            "data": data,
            "groups": groups,
        }
    )


def names(rows: list[Item], promise: Commitment) -> list[str]:
    return [placed.item.id for placed in committed_order(rows, promise)]


@given(st.permutations(ROWS))
def test_the_order_of_the_file_does_not_matter(rows: list[Item]) -> None:
    assert names(rows, commitment({})) == sorted(
        (row.id for row in ROWS), key=lambda name: hashlib.sha256(f"7:{name}".encode()).hexdigest()
    )


def test_filters_leave_the_order_of_the_others() -> None:
    everything = names(ROWS, commitment({}))
    some = names(ROWS, commitment({"languages": ["ja"], "where": {"flag": 1}}))
    assert some
    assert some == [name for name in everything if name in some]
    assert names(ROWS, commitment({}, seed=8)) != everything


def test_values_are_equal_only_to_values_of_their_kind() -> None:
    assert names(ROWS, commitment({"where": {"flag": "1"}})) == []
    assert names(ROWS, commitment({"where": {"flag": True}})) == []
    assert len(names(ROWS, commitment({"where": {"flag": 1}}))) == 45


def test_groups_are_matched_exactly_and_others_left_out() -> None:
    rows = [Item(str(number), {"race": value}) for number, value in enumerate(["a", "b", "A", None, 1, 1.0, "1"])]
    order = committed_order(rows, commitment({}, Groups(column="race", a="a", b="1")))
    assert sorted((placed.item.id, placed.side) for placed in order) == [("0", "a"), ("4", "b"), ("5", "b"), ("6", "b")]


def test_an_unknown_column_is_an_error_with_the_nearest_name_and_no_binding() -> None:
    for promise in (commitment({"where": {"flg": 1}}), commitment({}, Groups(column="flg", a="1", b="0"))):
        with pytest.raises(UsageError) as caught:
            committed_order(ROWS, promise)
        assert "'flag'" in str(caught.value.hint)


# ---- trials


def test_calls_of_a_chat_trial() -> None:
    item = Item("x", {"prompts": ["one", "two", "one"]})
    keys = [ask.key for ask in asks_for("chat", None)(item)]
    assert keys[0] == keys[2] != keys[1]
    assert keys[0] == call_key("one")
    repeats = asks_for("chat", Repeat(type="repeat", times=3))(item)
    assert [ask.request for ask in repeats] == ["one"] * 3
    assert len({ask.key for ask in repeats}) == 3
    assert repeats[0].key == keys[0]
    assert calls_needed(item, "chat", Repeat(type="repeat", times=3)) == 3
    assert calls_needed(Item("y", {"prompts": "only"}), "chat", None) == 1


def test_calls_of_a_predictor_trial() -> None:
    item = Item("x", {"id": "x", "income": 100, "race": "a"})
    perturb = Perturb(type="perturb", column="income", factors=(0.99, 1.01))
    asked = [ask.request for ask in asks_for("predictor", perturb)(item)]
    assert [record["income"] for record in asked] == [100, 99.0, 101.0]
    assert {record["id"] for record in asked} == {"x"}
    swap = Swap(type="swap", column="race", values=("b", "c"))
    assert [ask.request["race"] for ask in asks_for("predictor", swap)(item)] == ["a", "b", "c"]
    plain = asks_for("predictor", None)(item)
    assert plain[0].key == asks_for("predictor", swap)(item)[0].key
    assert item.fields == {"id": "x", "income": 100, "race": "a"}
    assert calls_needed(item, "predictor", perturb) == calls_needed(item, "predictor", swap) == 3


def test_what_cannot_be_asked() -> None:
    perturb = Perturb(type="perturb", column="income", factors=(0.99,))
    with pytest.raises(NotAskable):
        asks_for("predictor", perturb)(Item("x", {"income": None}))
    with pytest.raises(UsageError):
        calls_needed(Item("x", {"incme": 3}), "predictor", perturb)
    empty: list[dict[str, object]] = [{}, {"prompts": []}, {"prompts": [3]}, {"prompts": None}]
    for fields in empty:
        with pytest.raises(UsageError):
            calls_needed(Item("x", fields), "chat", None)
    with pytest.raises(UsageError):
        asks_for("chat", perturb)
    with pytest.raises(UsageError):
        asks_for("predictor", Repeat(type="repeat", times=2))


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()))
def test_equal_records_have_equal_keys(record: dict[str, object]) -> None:
    again = dict(reversed(record.items()))
    assert call_key(record) == call_key(again)
    assert call_key(record) != call_key({**record, "one more": 1}) or "one more" in record
