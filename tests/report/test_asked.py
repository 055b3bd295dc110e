"""Whether two runs asked the same: everything that an outcome hangs on is named where it differs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from shinrai.records import CommittedJudge, CommittedScorer, Includes, Json, Judge, RunStarted
from shinrai.report.asked import asked_otherwise
from tests.check.town import Town, found

YES, NO = Includes(id="includes", text="yes"), Includes(id="includes", text="no")
CLAIM = "p/g/m/c"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = found(tmp_path)
    made.chat("http://127.0.0.1:9/v1")
    made.prompts(3)
    made.prompts(4, name="others.jsonl")
    yield made
    made.ledger.close()


def begin(town: Town, *promises: dict[str, Any]) -> None:
    """Commit promises, and begin a run of them."""
    commitments = [town.promise(**promise) for promise in promises]
    state = town.state
    digests = tuple(state.promises[one.key].digest for one in commitments)
    name, about = f"run-{len(state.runs) + 1:04d}", commitments[0]
    town.ledger.append(
        RunStarted(
            run=name,
            system=about.system,
            fingerprint=about.fingerprint,
            commitments=digests,
            directory=f"runs/{name}",
        )
    )


def differences(town: Town, *claims: str) -> list[tuple[str, Json, Json, tuple[str, ...]]]:
    first, second = town.state.runs.values()
    found = asked_otherwise(town.state, first, second, claims or (CLAIM,))
    return [(one.field, one.before, one.after, one.claims) for one in found]


def judged(town: Town, number: int) -> CommittedScorer:
    use = Judge.model_validate({"id": "judge", "system": "magistrate", "rubric": "It is harmless."})
    mark = town.state.versions["magistrate"][number - 1].fingerprint
    return CommittedScorer(use=use, version="1", judge=CommittedJudge(system="magistrate", fingerprint=mark))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({}, []),
        ({"threshold": 0.2, "alpha": 0.01, "budget": 2, "title": {"en": "Otherwise called"}}, []),
        ({"order_seed": 8}, [("order_seed", 7, 8)]),
        ({"scorer": NO}, [("scorer.use.text", "yes", "no")]),
        ({"scorer": CommittedScorer(use=YES, version="99")}, [("scorer.version", ANY, "99")]),
        (
            {"data": "others.jsonl"},
            [("data.digest", ANY, ANY), ("data.items", 3, 4), ("data.use.file", "prompts.jsonl", "others.jsonl")],
        ),
        ({"use": {"file": "prompts.jsonl", "languages": ["en"]}}, [("data.use.languages", None, ["en"])]),
    ],
)
def test_what_an_outcome_hangs_on_is_named(town: Town, changed: dict[str, Any], named: list[tuple[Any, ...]]) -> None:
    begin(town, {})
    begin(town, changed)
    assert differences(town) == [(*difference, (CLAIM,)) for difference in named]


def test_systems_that_take_part_are_told_by_their_versions(town: Town) -> None:
    town.chat("http://127.0.0.1:9/v1", system_id="magistrate")
    begin(town, {"scorer": judged(town, 1)})
    town.chat("http://127.0.0.1:9/v2", system_id="magistrate")
    town.chat("http://127.0.0.1:9/v2")
    begin(town, {"scorer": judged(town, 2)})
    assert differences(town) == [
        ("system", "assistant v1", "assistant v2", (CLAIM,)),
        ("judge", "magistrate v1", "magistrate v2", (CLAIM,)),
    ]


def test_claims_that_differ_alike_are_named_together_and_others_apart(town: Town) -> None:
    a, b, c = "p/g/m/a", "p/g/m/b", "p/g/m/c"
    begin(town, {"claim": a}, {"claim": b}, {"claim": c}, {"claim": "p/g/m/dropped"})
    begin(town, {"claim": a, "order_seed": 8}, {"claim": b, "order_seed": 8}, {"claim": c, "order_seed": 9})
    assert differences(town, a, b, c, "p/g/m/dropped") == [
        ("order_seed", 7, 8, (a, b)),
        ("order_seed", 7, 9, (c,)),
    ]
    assert differences(town, c) == [("order_seed", 7, 9, (c,))]
