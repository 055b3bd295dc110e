from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shinrai.errors import UsageError
from shinrai.records import Commitment, CommittedData, DataUse, Groups, Item, draw, keeps

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
    return [placed.item.id for placed in promise.draw(rows)]


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
    order = commitment({}, Groups(column="race", a="a", b="1")).draw(rows)
    assert sorted((placed.item.id, placed.side) for placed in order) == [("0", "a"), ("4", "b"), ("5", "b"), ("6", "b")]


def test_an_unknown_column_is_an_error_with_the_nearest_name_and_no_binding() -> None:
    for promise in (commitment({"where": {"flg": 1}}), commitment({}, Groups(column="flg", a="1", b="0"))):
        with pytest.raises(UsageError) as caught:
            promise.draw(ROWS)
        assert "'flag'" in str(caught.value.hint)


@pytest.mark.parametrize(("found", "wanted", "kept"), [(1, 1, True), (1.0, 1, True), (True, 1, False), ("1", 1, False)])
def test_a_value_is_kept_only_if_it_is_the_same_kind_of_value(found: object, wanted: Any, *, kept: bool) -> None:
    assert keeps(DataUse(file="x.csv", where={"c": wanted}), Item("a", {"c": found})) is kept


def test_true_in_the_data_is_the_group_that_a_person_writes_as_true() -> None:
    rows = [Item("x", {"flag": True}), Item("y", {"flag": False}), Item("z", {"flag": "True"})]
    placed = draw(rows, 7, groups=Groups(column="flag", a="true", b="false"))
    assert {(one.item.id, one.side) for one in placed} == {("x", "a"), ("y", "b")}
