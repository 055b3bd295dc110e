from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.check.trials import NotAskable, asks_for, call_key, calls_needed
from shinrai.errors import UsageError
from shinrai.records import Item, Perturb, Repeat, Swap


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
