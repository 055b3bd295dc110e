"""Samples of EleutherAI's lm-evaluation-harness: ``samples_TASK_DATE.jsonl``, with ``results_DATE.json`` beside it.

Read as version 0.4 writes them with ``--log_samples``. A document that was scored by several filters stands in the file
once for each: here it is one row with the scores of all of them. The results file, which lies in the same folder, says
how many documents there were and what was printed; without it the samples are read all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from shinrai.do.decoding import decoded
from shinrai.do.outputs import json_lines
from shinrai.do.refusing import refuse
from shinrai.do.runs import NOT_RUN, Row, Run, finite, moment, refuse_field
from shinrai.i18n import _
from shinrai.records import Json

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
    first, others = _other_filters(path, run)
    seen = 0
    for line, fields in json_lines(path):
        sample = _sample(path.name, line, fields)
        if sample.filter == first:
            seen += 1
            yield _row(sample, fields, others.get(sample.doc_id, {}), run)
    if planned is not None:
        for number in range(seen, planned):
            yield Row(f"{NOT_RUN}-{number}", f"{NOT_RUN}-{number}", [], "error", error=NOT_RUN)


def _sample(name: str, line: int, fields: dict[str, Any]) -> _Sample:
    try:
        return msgspec.convert(fields, _Sample)
    except msgspec.ValidationError as error:
        refuse_field(name, line, error)


def _other_filters(path: Path, run: Run) -> tuple[str, dict[int, dict[str, Json]]]:
    """Go through the file once for the scores of all filters but the first."""
    first: str | None = None
    others: dict[int, dict[str, Json]] = {}
    for line, fields in json_lines(path):
        sample = _sample(path.name, line, fields)
        first = sample.filter if first is None else first
        if sample.filter != first:
            others.setdefault(sample.doc_id, {}).update(_scores(sample, fields, run))
    return first or "none", others


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
    run.order = "as in the data set"
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
