"""Samples of EleutherAI's lm-evaluation-harness: ``samples_TASK_DATE.jsonl``, with ``results_DATE.json`` beside it.

Read as version 0.4 writes them with ``--log_samples``. A document that was scored by several filters stands in the file
once for each: here it is one row with the scores of all of them. The results file, which lies in the same folder, says
how many documents there were and what was printed; without it the samples are read all the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, Literal, NoReturn

import msgspec
import numpy as np

from shinrai.do.decoding import decoded
from shinrai.do.outputs import json_lines
from shinrai.do.refusing import refuse
from shinrai.do.runs import NOT_RUN, Row, Run, finite, moment, refuse_field
from shinrai.i18n import N_, _
from shinrai.records import Json

_SIDES: Final[tuple[Literal["left"], Literal["right"]]] = ("left", "right")
_MULTIPLE_CHOICE: Final = "the answer of a task that ranks choices; no text was generated"


class _Sample(msgspec.Struct):
    doc_id: int
    doc: dict[str, Any]
    target: Any
    arguments: dict[str, dict[str, Any]] | list[Any]
    resps: list[Any]
    filtered_resps: list[Any]
    metrics: list[str] = []
    filter: str = "none"


def read_lm_eval(path: Path) -> Run:
    """Read the samples of a task.

    Parameters
    ----------
    path : Path
        ``samples_….jsonl``.

    Returns
    -------
    Run
        Its rows raise SourceError for what is not as the harness writes it.
    """
    run = Run("lm-evaluation-harness", "lm-evaluation-harness", files=[path])
    run.rows = _rows(path, run)
    return run


def _rows(path: Path, run: Run) -> Iterator[Row]:
    planned = _results(path, run)
    seen = 0
    with TemporaryFile() as file:
        first, others = _other_filters(path, run, file)
        for line, fields in json_lines(path):
            sample = _sample(path.name, line, fields)
            if sample.filter == first:
                seen += 1
                yield _row(sample, fields, others.of(sample.doc_id), run)
        others.require_all_taken()
    if planned is not None:
        for number in range(seen, planned):
            yield Row(f"{NOT_RUN}-{number}", f"{NOT_RUN}-{number}", [], "error", error=NOT_RUN)


def _sample(name: str, line: int, fields: dict[str, Any]) -> _Sample:
    try:
        return msgspec.convert(fields, _Sample)
    except msgspec.ValidationError as error:
        refuse_field(name, line, error)


def _other_filters(path: Path, run: Run, file: IO[bytes]) -> tuple[str, _Others]:
    """Go through the samples once for the scores of all filters but the first, and put these aside in a file."""
    first: str | None = None
    others = _Others(path.name, file)
    for line, fields in json_lines(path):
        sample = _sample(path.name, line, fields)
        first = sample.filter if first is None else first
        if sample.filter != first:
            others.add(sample.doc_id, _scores(sample, fields, run))
    others.close()
    return first or "none", others


class _Others:
    """Scores by document, in a file: memory holds 16 bytes for each, whatever the length of the log.

    Parameters
    ----------
    name : str
        Of the samples' file, for messages.
    file : binary file
        Empty, and nobody else's.
    """

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self._name = name
        self._file = file
        self._documents = array("q")
        self._places = array("q")
        self._sorted = np.empty(0, dtype=np.int64)
        self._order = np.empty(0, dtype=np.int64)
        self._taken = np.empty(0, dtype=np.bool_)

    def add(self, document: int, scores: dict[str, Json]) -> None:
        self._documents.append(document)
        self._places.append(self._file.tell())
        self._file.write(msgspec.json.encode(scores) + b"\n")

    def close(self) -> None:
        """Make ready for looking up."""
        documents = np.frombuffer(self._documents, dtype=np.int64)
        self._order = np.argsort(documents, kind="stable")
        self._sorted = documents[self._order]
        self._taken = np.zeros(len(documents), dtype=np.bool_)

    def of(self, document: int) -> dict[str, Json]:
        """Give the scores of a document by all filters together.

        Raises
        ------
        SourceError
            If a filter scored it twice.
        """
        found: dict[str, Json] = {}
        low, high = (int(np.searchsorted(self._sorted, document, side)) for side in _SIDES)
        if self._taken[low:high].any():
            self._refuse_twice(document)
        self._taken[low:high] = True
        for place in self._order[low:high]:
            self._file.seek(self._places[int(place)])
            more: dict[str, Json] = msgspec.json.decode(self._file.readline())
            if found.keys() & more.keys():
                self._refuse_twice(document)
            found |= more
        return found

    def _refuse_twice(self, document: int) -> NoReturn:
        message = _("the document {number} was scored twice by one filter").format(number=document)
        hint = _("a trial must count once: remove the repetition, or tell the rows apart")
        refuse("do.sample-twice", self._name, message, hint=hint)

    def require_all_taken(self) -> None:
        """Refuse scores of documents that the first filter did not score.

        Raises
        ------
        SourceError
            If there are any.
        """
        left = self._sorted[~self._taken]
        if len(left):
            message = _("the filters scored different documents: the first one has no {number}").format(number=left[0])
            refuse("do.bad-field", self._name, message)


def _scores(sample: _Sample, fields: dict[str, Any], run: Run) -> dict[str, Json]:
    scores: dict[str, Json] = {}
    for metric in sample.metrics:
        if metric in fields:
            name = f"{metric},{sample.filter}"
            run.scorers.setdefault(name)
            value = finite(fields[metric])
            scores[f"score.{name}"] = value if isinstance(value, bool | int | float | str) else None
    return scores


def _row(sample: _Sample, fields: dict[str, Any], others: dict[str, Json], run: Run) -> Row:
    name = _name(sample)
    columns: dict[str, Json] = {"doc_id": sample.doc_id, "target": str(sample.target)}
    columns |= {f"doc.{key}": value for key, value in sample.doc.items() if _scalar(value) and key != "id"}
    columns |= _scores(sample, fields, run) | others
    prompts = _prompts(sample)
    replies = _generated(sample)
    if replies is None:
        return Row(name, name, prompts, "ok", reply=str(sample.filtered_resps), columns=columns)
    if not replies:
        return Row(name, name, prompts, "error", error="empty", columns=columns)
    return Row(name, name, prompts, "ok", reply=replies[0], columns=columns)


def _name(sample: _Sample) -> str:
    """Name a row by the id of the document where it has one of its own, else by its number."""
    own = sample.doc.get("id")
    return str(own) if isinstance(own, str | int) and not isinstance(own, bool) else str(sample.doc_id)


def _scalar(value: object) -> bool:
    return isinstance(value, str | int | float | bool) and finite(value) is not None


def _prompts(sample: _Sample) -> list[str]:
    """Give what was asked: the first argument of the first request; chats are lists of messages written as JSON."""
    requests = sample.arguments
    if not isinstance(requests, dict):
        return []
    first = requests.get("gen_args_0", {}).get("arg_0")
    if isinstance(first, list) and len(first) == 1:
        first = first[0]
    if not isinstance(first, str):
        return []
    messages = _messages(first)
    return [first] if messages is None else messages


def _messages(text: str) -> list[str] | None:
    if not text.startswith("[{"):
        return None
    try:
        found = msgspec.json.decode(text, type=list[dict[str, Any]])
    except msgspec.DecodeError:
        return None
    said = [str(message.get("content", "")) for message in found if message.get("role") == "user"]
    return said or None


def _generated(sample: _Sample) -> list[str] | None:
    """Give the generated texts; None for a task that compares likelihoods."""
    texts: list[str] = []
    for reply in sample.resps:
        inner = reply if isinstance(reply, list) else [reply]
        if not all(isinstance(one, str) for one in inner):
            return None
        texts.extend(inner)
    pairs = len(texts) > 1 and all(text in {"True", "False"} for text in texts[1::2])
    return None if pairs else texts


def _results(path: Path, run: Run) -> int | None:
    """Read the results file of the same run, if it is there; give the number of documents that were to be asked.

    Raises
    ------
    SourceError
        If it is there and is not as the harness writes it.
    """
    stem = path.stem.removeprefix("samples_")
    task, _mark, day = stem.rpartition("_")
    beside = path.with_name(f"results_{day}.json")
    run.task = task or None
    if not task or not beside.is_file():
        return None
    found = decoded(beside.name, beside.read_bytes(), dict[str, Any])
    run.files.append(beside)
    run.version = found.get("lm_eval_version")
    run.model = found.get("model_name") or found.get("model_source")
    run.began = moment(found.get("date"), beside.name, "date")
    counted = found.get("n-samples", {}).get(task, {})
    run.selection = f"{counted.get('effective')} of {counted.get('original')} documents"
    limit = found.get("config", {}).get("limit")
    run.selection += f", limit {limit}" if limit is not None else ""
    run.order = N_("as in the data set")
    run.summary = {
        key: finite(value)
        for key, value in found.get("results", {}).get(task, {}).items()
        if isinstance(value, int | float | str)
    }
    effective = counted.get("effective")
    if effective is not None and not isinstance(effective, int):
        message = _('the field "{name}" is {found}').format(name="n-samples.effective", found=repr(effective))
        refuse("do.bad-field", beside.name, message)
    return effective
