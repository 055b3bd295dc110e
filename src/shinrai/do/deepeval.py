"""Test runs of DeepEval: the JSON that ``evaluate`` leaves in its results folder (and in ``.deepeval/``).

Read as its ``TestRun`` is written, by the aliases of its fields. A metric without a score is a metric that failed to
run: the test case has its reply, and that score is empty. Scores of DeepEval lie in [0, 1]; another one is refused.
Conversations are refused: a dialogue is not one reply.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from shinrai.do.decoding import decoded, document, run_of
from shinrai.do.refusing import refuse
from shinrai.do.runs import Row, Run, finite
from shinrai.i18n import N_, _
from shinrai.records import Json

_CASES: Final = ("testCases",)
_TALKS: Final = ("conversationalTestCases",)
_FIGURES: Final = {("testPassed",): "passed", ("testFailed",): "failed"}


class _Metric(msgspec.Struct):
    name: str
    score: float | None = None
    success: bool | None = None
    threshold: float | None = None
    error: str | None = None


class _Case(msgspec.Struct):
    name: str
    input: str
    actualOutput: str | None = None  # noqa: N815 - DeepEval's own name
    expectedOutput: str | None = None  # noqa: N815 - DeepEval's own name
    success: bool | None = None
    metricsData: list[_Metric] | None = None  # noqa: N815 - DeepEval's own name
    order: int | None = None
    metadata: dict[str, Any] | None = None


def read_deepeval(path: Path) -> Run:
    """Read a test run of DeepEval.

    Parameters
    ----------
    path : Path
        JSON.

    Returns
    -------
    Run
        Its rows raise SourceError for what is not as DeepEval writes it.
    """
    return run_of("deepeval", path, _rows)


def _rows(path: Path, run: Run) -> Iterator[Row]:
    run.order = N_("as the test cases were given (order)")
    for number, (place, value) in enumerate(document(path, (_CASES, _TALKS))):
        if place == _TALKS:
            message = _('the field "{name}" holds dialogues').format(name=_TALKS[0])
            refuse("do.bad-field", path.name, message, expected=_("test cases with one input and one output"))
        if place == _CASES:
            yield _row(path.name, number, decoded(path.name, value, _Case), run)
        elif place in _FIGURES:
            run.summary[_FIGURES[place]] = decoded(path.name, value, int | None)
        elif place == ("identifier",):
            run.task = decoded(path.name, value, str | None)


def _row(file: str, number: int, case: _Case, run: Run) -> Row:
    name = _name(case)
    row_id = f"{number if case.order is None else case.order}"
    columns: dict[str, Json] = {"name": case.name, "success": case.success}
    if case.expectedOutput is not None:
        columns["target"] = case.expectedOutput
    for metric in case.metricsData or ():
        run.scorers.setdefault(metric.name)
        score = finite(metric.score)
        if isinstance(score, float) and not 0.0 <= score <= 1.0:
            message = _('the score "{name}" of the test case {item} is {found}')
            message = message.format(name=metric.name, item=repr(case.name), found=score)
            refuse("do.score-range", file, message, expected=_("a number from 0 to 1"))
        columns[f"score.{metric.name}"] = score
        columns[f"passed.{metric.name}"] = None if metric.error else metric.success
    scalars = {
        key: value for key, value in (case.metadata or {}).items() if isinstance(value, str | int | float | bool)
    }
    columns |= {f"metadata.{key}": finite(value) for key, value in scalars.items() if key != "id"}
    if case.actualOutput is None:
        return Row(row_id, name, [case.input], "error", error="empty", columns=columns)
    return Row(row_id, name, [case.input], "ok", case.actualOutput, columns=columns)


def _name(case: _Case) -> str:
    own = (case.metadata or {}).get("id")
    return str(own) if isinstance(own, str | int) and not isinstance(own, bool) else case.name
