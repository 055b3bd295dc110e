"""What is held of each trial is let go before a run is archived, so that the two never stand in memory together."""

from __future__ import annotations

import gc
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shinrai.check.archive import write_run
from shinrai.check.claims import Claim
from shinrai.check.engine import Engine
from shinrai.check.journal import Journal
from shinrai.check.keys import KeyTable
from shinrai.records.drawing import Drawn
from shinrai.stats.race import RateRace
from tests.check.town import Town
from tests.servers.endpoint import Reply, serving

HELD = (Claim, Drawn, Engine, Journal, KeyTable, RateRace)


@pytest.mark.parametrize("late", [0.0, 0.2])
async def test_nothing_of_the_trials_is_held_while_they_are_archived(
    town: Town, monkeypatch: pytest.MonkeyPatch, late: float
) -> None:
    held: list[str] = []
    asked = count()

    def looked_at(*given: Any) -> list[Path]:
        held.extend(type(one).__name__ for one in gc.get_objects() if isinstance(one, HELD) and id(one) not in before)
        return write_run(*given)

    def answer(_prompt: str, _attempt: int) -> Reply:
        return Reply("no", delay=late if next(asked) >= 2 else 0.0)

    monkeypatch.setattr("shinrai.check.ending.write_run", looked_at)
    with serving(answer) as endpoint:
        town.chat(endpoint.url)
        town.prompts(300)
        town.promise()
        before = {id(one) for one in gc.get_objects() if isinstance(one, HELD)}
        gc.disable()  # not found by chance: nothing may hold them
        try:
            [verdict] = await town.check(watch=True)
        finally:
            gc.enable()
    assert verdict.status == "violated"
    assert held == []
