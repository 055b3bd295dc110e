"""What aisev, the AI safety evaluation environment of the Japan AI Safety Institute, exports: JSON and data sets.

Written from its source (``frontend/app/src/views/EvaluationResultDetail.vue``), not from a run of it. Two things in an
export are not what they seem:

- ``score`` is 0 where the judge said "incorrect" *and* where there was no answer at all. An answer that is empty is
  therefore a trial without a reply here, never a failure.
- ``score`` is 1 for everything else, also where the judge's grade could not be read. Its column is called
  ``score.not_incorrect``, because it says no more than that.

A sample that stands under several leaves of the assurance tree is exported once for each: rows with the same question
and answer are one sample. Questionnaire answers (qualitative) are statements of people, not trials, and left out.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec

from shinrai.do.decoding import decoded, document, run_of
from shinrai.do.refusing import refuse
from shinrai.do.runs import Row, Run, moment
from shinrai.i18n import _
from shinrai.records import Json
from shinrai.source import did_you_mean

_PERSPECTIVES: Final = ("tenPerspectives",)
_QUANTITATIVE: Final = frozenset({"quantitative", "Quantitative", "定量", "定量評価"})
_QUALITATIVE: Final = frozenset({"qualitative", "Qualitative", "定性", "定性評価"})
_COLUMNS: Final = ("id", "ten_perspective", "text")
_FREE: Final = ("requirement", "output", "scorer", "gsn_perspective")


class _Result(msgspec.Struct):
    category: str
    question: str | list[Any]
    answer: str | None
    score: float | None
    subCategory: str = ""  # noqa: N815 - aisev's own name
    evaluationContent: str = ""  # noqa: N815 - aisev's own name
    scoreRate: float | None = None  # noqa: N815 - aisev's own name


class _Perspective(msgspec.Struct):
    perspective: str
    totalScore: float | None  # noqa: N815 - aisev's own name
    results: list[_Result]


def read_aisev(path: Path) -> Run:
    """Read an exported result of aisev.

    Parameters
    ----------
    path : Path
        ``evaluation_detail_….json``.

    Returns
    -------
    Run
        Its rows raise SourceError for what is not as aisev writes it.
    """
    return run_of("aisev", path, _rows)


def _rows(path: Path, run: Run) -> Iterator[Row]:
    run.scorers["not_incorrect"] = None
    left_out = 0
    for place, value in document(path, (_PERSPECTIVES,)):
        if place != _PERSPECTIVES:
            _note(path.name, place[0], value, run)
            continue
        found: _Perspective = decoded(path.name, value, _Perspective)
        run.summary[found.perspective] = found.totalScore
        for number, result in enumerate(found.results):
            if result.category in _QUALITATIVE:
                left_out += 1
            else:
                yield _row(path.name, found.perspective, number, result)
    run.summary["questionnaire_answers_left_out"] = left_out


_TEXTS: Final = {"targetModelName": "model", "evaluationName": "task", "evaluatedDate": "began", "judgeModelName": ""}


def _note(file: str, key: str, value: bytes, run: Run) -> None:
    if key not in _TEXTS:
        return
    text = decoded(file, value, str | None)
    if key == "evaluatedDate":
        run.began = moment(text, file, key)
    elif key == "judgeModelName":
        run.summary["judge"] = text
    else:
        setattr(run, _TEXTS[key], text)


def _row(file: str, perspective: str, number: int, result: _Result) -> Row:
    if result.category not in _QUANTITATIVE:
        message = _('the field "{name}" is {found}').format(name="category", found=repr(result.category))
        refuse("do.bad-field", file, message, expected=" | ".join(sorted(_QUANTITATIVE | _QUALITATIVE)))
    if result.score not in {0.0, 0.5, 1.0, None}:
        message = _('the field "{name}" is {found}').format(name="score", found=result.score)
        refuse("do.score-range", file, message, expected="0, 0.5, 1")
    asked = result.question if isinstance(result.question, str) else _said(result.question)
    sample = hashlib.sha256(msgspec.json.encode((asked, result.answer))).hexdigest()[:16]
    columns: dict[str, Json] = {"perspective": perspective, "score.not_incorrect": result.score}
    if result.evaluationContent:
        columns |= {"leaf": result.evaluationContent, "goal": result.subCategory}
    name = f"{perspective}/{number + 1}"
    if not result.answer:
        columns["score.not_incorrect"] = None
        return Row(name, sample, [asked], "error", error="empty", columns=columns)
    return Row(name, sample, [asked], "ok", result.answer, columns=columns)


def _said(messages: list[Any]) -> str:
    return "\n\n".join(str(one.get("content", "")) for one in messages if isinstance(one, dict))


def read_questions(path: Path) -> list[dict[str, Json]]:
    """Read a data set of aisev: questions, to be put to a system.

    Parameters
    ----------
    path : Path
        CSV with the columns ``id``, ``ten_perspective``, ``text`` and, where there are any, ``requirement``,
        ``output``, ``scorer``, ``gsn_perspective``.

    Returns
    -------
    list of dict
        Items of a data set: ``id``, ``prompts``, ``perspective``, ``requirement``, ``expected``, ``scorer``, ``leaf``.

    Raises
    ------
    SourceError
        If a column is missing or unknown, a row is ragged, or an id stands there twice.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        refuse("do.csv", path.name, _("this is not valid CSV: {reason}").format(reason=error))
    header = [cell.strip() for cell in rows[0]]
    for name in _COLUMNS:
        if name not in header:
            message = _('there is no column "{name}"').format(name=name)
            refuse("do.missing-column", path.name, message, hint=did_you_mean(name, header))
    for name in header:
        if name not in _COLUMNS and name not in _FREE:
            _refuse_column(path.name, name)
    seen: set[str] = set()
    return [
        _question(path.name, line, dict(zip(header, row, strict=False)), len(row) == len(header), seen)
        for line, row in enumerate(rows[1:], start=2)
        if row
    ]


def _refuse_column(file: str, name: str) -> NoReturn:
    message = _('the column "{name}" is not one of aisev').format(name=name)
    refuse("do.bad-field", file, message, expected=", ".join((*_COLUMNS, *_FREE)))


def _question(file: str, line: int, cells: dict[str, str], whole: bool, seen: set[str]) -> dict[str, Json]:  # noqa: FBT001 - said in one place
    name, asked = cells.get("id", "").strip(), cells.get("text", "")
    if not whole or not name or not asked.strip():
        refuse("do.ragged", file, _("the row has no id, no text, or not as many cells as the header"), line=line)
    if name in seen:
        message = _('the id "{name}" stands here for the second time').format(name=name[:60])
        refuse("do.sample-twice", file, message, line=line)
    seen.add(name)
    item: dict[str, Json] = {"id": name, "prompts": [asked], "perspective": cells["ten_perspective"].strip()}
    for column, field in (("requirement",) * 2, ("output", "expected"), ("scorer",) * 2, ("gsn_perspective", "leaf")):
        if cells.get(column, "").strip():
            item[field] = cells[column].strip()
    return item
