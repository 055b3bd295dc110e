from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shinrai.records import Observation

FIRST = Observation(
    subject="rs-4.outcome-1.1",
    value=1.0,
    unit="percent",
    as_of=date(2025, 3, 31),
    period="FY2024",
    source="review",
    locator="2:2024",
)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1950, 2060))
def test_a_record_like_another_is_what_validation_and_pydantics_own_copy_make(value: float, year: int) -> None:
    changed = {"value": value, "period": f"FY{year}", "as_of": date(year + 1, 3, 31), "locator": f"9:{year}"}
    one = FIRST.like(changed)
    assert one == FIRST.model_copy(update=changed) == Observation.model_validate({**FIRST.__dict__, **changed})
    assert one.canonical() == FIRST.model_copy(update=changed).canonical()
    assert Observation.model_validate_json(one.canonical()) == one
    assert hash(one) == hash(FIRST.model_copy(update=changed))
    assert FIRST.value == 1.0


def test_a_record_like_another_is_frozen_too() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(FIRST.like({"value": 2.0}), "value", 3.0)  # noqa: B010 - mypy would not let it be written otherwise
