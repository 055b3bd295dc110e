"""Results of promptfoo: the JSON that ``promptfoo eval --output results.json`` and ``promptfoo export eval`` write.

Read as its summary version 3 documents it (``EvaluateSummaryV3``). promptfoo writes the reason of a failed assertion
into ``error`` too; a row has no reply only where ``failureReason`` says so. Prompts, providers and repetitions of one
test are rows of one sample: ``where: {provider: …}`` picks one system among several.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from shinrai.do.decoding import decoded, document, run_of
from shinrai.do.refusing import refuse
from shinrai.do.runs import Row, Run, finite, moment
from shinrai.i18n import _
from shinrai.records import Json

VERSION: Final = 3
"""The version of the summary that is understood."""

_ROWS: Final = ("results", "results")
_ERROR: Final = 2  # promptfoo's ResultFailureReason.ERROR
_encode = msgspec.json.Encoder(order="sorted").encode


class _Provider(msgspec.Struct):
    id: str = ""
    label: str | None = None


class _Prompt(msgspec.Struct):
    raw: str


class _Response(msgspec.Struct):
    output: Any = None
    error: str | None = None
    finishReason: str | None = None  # noqa: N815 - promptfoo's own name


class _Assertion(msgspec.Struct):
    type: str
    metric: str | None = None


class _Component(msgspec.Struct):
    passed: bool = msgspec.field(name="pass")
    score: float | None  # JavaScript writes NaN as null
    assertion: _Assertion | None = None


class _Grading(msgspec.Struct):
    componentResults: list[_Component] | None = None  # noqa: N815 - promptfoo's own name


class _Result(msgspec.Struct):
    promptIdx: int  # noqa: N815 - promptfoo's own name
    testIdx: int  # noqa: N815 - promptfoo's own name
    prompt: _Prompt
    provider: _Provider
    success: bool
    score: float | None
    failureReason: int  # noqa: N815 - promptfoo's own name
    vars: dict[str, Any] = {}
    response: _Response | None = None
    error: str | None = None
    gradingResult: _Grading | None = None  # noqa: N815 - promptfoo's own name
    namedScores: dict[str, float | None] = {}  # noqa: N815 - promptfoo's own name


def read_promptfoo(path: Path) -> Run:
    """Read the results of promptfoo.

    Parameters
    ----------
    path : Path
        JSON.

    Returns
    -------
    Run
        Its rows raise SourceError for what is not as promptfoo writes it.
    """
    return run_of("promptfoo", path, _rows)


def _rows(path: Path, run: Run) -> Iterator[Row]:
    providers: dict[str, None] = {}
    for place, value in document(path, (_ROWS,)):
        if place == _ROWS:
            result: _Result = decoded(path.name, value, _Result)
            providers.setdefault(result.provider.label or result.provider.id)
            yield _row(result, run)
        else:
            _note(path.name, place, value, run)
    run.model = ", ".join(providers) or None


def _note(file: str, place: tuple[str, ...], value: bytes, run: Run) -> None:
    """Take what the file says of the run from the values around the list of results."""
    if place in {("results", "version"), ("results", "timestamp"), ("results", "stats"), ("metadata",), ("evalId",)}:
        _NOTES[place[-1]](file, decoded(file, value, Any), run)


def _note_version(file: str, found: Any, _run: Run) -> None:  # noqa: ANN401 - any JSON value
    if found != VERSION:
        message = _('the field "{name}" is {found}').format(name="results.version", found=repr(found))
        expected = _("version {number} of the format").format(number=VERSION)
        refuse("do.bad-field", file, message, expected=expected)


def _note_time(file: str, found: Any, run: Run) -> None:  # noqa: ANN401 - any JSON value
    run.began = moment(found, file, "results.timestamp")


def _note_stats(_file: str, found: Any, run: Run) -> None:  # noqa: ANN401 - any JSON value
    if isinstance(found, dict):
        run.summary = {key: found[key] for key in ("successes", "failures", "errors") if key in found}


def _note_metadata(_file: str, found: Any, run: Run) -> None:  # noqa: ANN401 - any JSON value
    if isinstance(found, dict):
        run.version = found.get("promptfooVersion")


def _note_eval(_file: str, found: Any, run: Run) -> None:  # noqa: ANN401 - any JSON value
    run.task = found if isinstance(found, str) else None


_NOTES: Final = {
    "version": _note_version,
    "timestamp": _note_time,
    "stats": _note_stats,
    "metadata": _note_metadata,
    "evalId": _note_eval,
}


def _row(result: _Result, run: Run) -> Row:
    name = _sample(result)
    row_id = f"{result.testIdx}.{result.promptIdx}"
    columns = _columns(result, run)
    prompts = [result.prompt.raw]
    response = result.response
    problem = (response.error if response is not None else None) or result.error
    if result.failureReason == _ERROR or response is None or response.error:
        return Row(row_id, name, prompts, "error", error=f"error: {(problem or '')}", columns=columns)
    if response.finishReason == "content_filter":
        return Row(row_id, name, prompts, "blocked", columns=columns)
    output = response.output
    reply = output if isinstance(output, str) or output is None else _encode(output).decode()
    if reply is None:
        return Row(row_id, name, prompts, "error", error="empty", columns=columns)
    return Row(row_id, name, prompts, "ok", reply, columns=columns)


def _sample(result: _Result) -> str:
    """Name the test that a row belongs to: by its variable ``id``, else by all of its variables."""
    own = result.vars.get("id")
    if isinstance(own, str | int) and not isinstance(own, bool):
        return str(own)
    return f"vars-{hashlib.sha256(_encode(result.vars or result.prompt.raw)).hexdigest()[:16]}"


def _columns(result: _Result, run: Run) -> dict[str, Json]:
    columns: dict[str, Json] = {
        "provider": result.provider.label or result.provider.id,
        "prompt_index": result.promptIdx,
        "success": result.success,
        "score": finite(result.score),
    }
    for name, score in result.namedScores.items():
        columns[f"score.{name}"] = finite(score)
    grading = result.gradingResult
    for component in (grading.componentResults if grading else None) or ():
        if component.assertion is not None:
            label = component.assertion.metric or component.assertion.type
            # One assertion may stand there several times: all of a kind have to pass.
            columns[f"passed.{label}"] = bool(columns.get(f"passed.{label}", True)) and component.passed
    for name in columns:
        if name.startswith(("score.", "passed.")):
            run.scorers.setdefault(name)
    scalars = {key: value for key, value in result.vars.items() if isinstance(value, str | int | float | bool)}
    return columns | {f"vars.{key}": finite(value) for key, value in scalars.items() if key != "id"}
