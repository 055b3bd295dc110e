"""Reports of NVIDIA's garak: ``….report.jsonl``.

Each attempt stands in the report as it began and as it was completed. One that never was is a trial without a reply,
and so is a generation that came back empty. The generations of an attempt are rows of one sample. A score of garak is
1 for a hit and 0 for none; another one than from 0 to 1 is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from shinrai.do.outputs import json_lines
from shinrai.do.refusing import refuse
from shinrai.do.runs import NOT_RUN, Row, Run, finite, moment, refuse_field
from shinrai.i18n import N_, _
from shinrai.records import Json

_BEGAN: Final = 1
_COMPLETE: Final = 2


class _Content(msgspec.Struct):
    text: str | None = None
    lang: str | None = None


class _Turn(msgspec.Struct):
    role: str
    content: _Content


class _Conversation(msgspec.Struct):
    turns: list[_Turn] = []


class _Attempt(msgspec.Struct):
    uuid: str
    status: int
    probe_classname: str
    seq: int = -1
    prompt: _Conversation | None = None
    outputs: list[_Content | None] = []
    detector_results: dict[str, list[float | None]] = {}
    goal: str | None = None
    intent: str | None = None


def read_garak(path: Path) -> Run:
    """Read a report of garak.

    Parameters
    ----------
    path : Path
        ``….report.jsonl``.

    Returns
    -------
    Run
        Its rows raise SourceError for what is not as garak writes it.
    """
    run = Run("garak", "garak", files=[path])
    run.rows = _rows(path, run)
    return run


def _rows(path: Path, run: Run) -> Iterator[Row]:
    run.order = N_("probe by probe, in the order of each probe (seq)")
    begun: dict[str, _Begun] = {}
    generations = 1
    for line, fields in json_lines(path):
        kind = fields.get("entry_type")
        if kind == "attempt":
            attempt = _attempt(path.name, line, fields)
            if attempt.status == _BEGAN:
                begun[attempt.uuid] = _Begun(attempt)
            elif attempt.status == _COMPLETE:
                begun.pop(attempt.uuid, None)
                yield from _generations(path.name, line, attempt, generations, run)
        elif isinstance(kind, str):
            _note(path.name, kind, fields, run)
            generations = int(_setting(fields, "generations") or generations)
        else:
            message = _('there is no "{name}" in this row').format(name="entry_type")
            refuse("do.bad-field", path.name, message, line=line)
    for attempt_begun in begun.values():
        yield from attempt_begun.not_run(generations)


class _Begun:
    """An attempt of which only the beginning is in the report."""

    def __init__(self, attempt: _Attempt) -> None:
        self._sample = _sample(attempt)
        self._prompts = _prompts(attempt)
        self._columns: dict[str, Json] = {"probe": attempt.probe_classname}

    def not_run(self, generations: int) -> Iterator[Row]:
        for number in range(generations):
            yield Row(
                f"{self._sample}#{number}", self._sample, self._prompts, "error", error=NOT_RUN, columns=self._columns
            )


def _attempt(file: str, line: int, fields: dict[str, Any]) -> _Attempt:
    plain = dict(fields)
    if isinstance(plain.get("prompt"), dict) and "turns" not in plain["prompt"]:
        plain["prompt"] = {"turns": [{"role": "user", "content": plain["prompt"]}]}
    elif isinstance(plain.get("prompt"), str):
        plain["prompt"] = {"turns": [{"role": "user", "content": {"text": plain["prompt"]}}]}
    if isinstance(plain.get("outputs"), list):
        plain["outputs"] = [{"text": one} if isinstance(one, str) else one for one in plain["outputs"]]
    try:
        return msgspec.convert(plain, _Attempt)
    except msgspec.ValidationError as error:
        refuse_field(file, line, error)


def _note(file: str, kind: str, fields: dict[str, Any], run: Run) -> None:
    if kind == "start_run setup":
        run.version = fields.get("_config.version")
        names = (fields.get(f"plugins.{one}") for one in ("target_type", "target_name", "model_type", "model_name"))
        run.model = " ".join(dict.fromkeys(str(name) for name in names if name)) or None
        run.task = fields.get("plugins.probe_spec")
        run.began = moment(fields.get("transient.starttime_iso"), file, "transient.starttime_iso")
        count, seed = _setting(fields, "generations"), _setting(fields, "seed")
        run.selection = (
            f"{count} generations a prompt, soft limit of prompts {_setting(fields, 'soft_probe_prompt_cap')}"
        )
        run.order += f", seed {seed}" if seed is not None else ""
        run.ended_as = "unfinished"
    elif kind == "init":
        run.version = run.version or fields.get("garak_version")
        run.began = run.began or moment(fields.get("start_time"), file, "start_time")
    elif kind == "completion":
        run.ended_as = "complete"
    elif kind == "eval":
        name = f"{fields.get('probe')} {fields.get('detector')}"
        run.summary[name] = {
            key: fields[key] for key in ("passed", "fails", "nones", "total_processed") if key in fields
        }


def _setting(fields: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON value
    return fields.get(f"run.{name}")


def _generations(file: str, line: int, attempt: _Attempt, generations: int, run: Run) -> Iterator[Row]:
    sample, prompts = _sample(attempt), _prompts(attempt)
    for number in range(max(len(attempt.outputs), generations)):
        output = attempt.outputs[number] if number < len(attempt.outputs) else None
        columns = _columns(file, line, attempt, number, run)
        name = f"{sample}#{number}"
        text = output.text if output is not None else None
        if text is None:
            yield Row(name, sample, prompts, "error", error="empty", columns=columns)
        else:
            yield Row(name, sample, prompts, "ok", text, columns=columns)


def _sample(attempt: _Attempt) -> str:
    return f"{attempt.probe_classname}/{attempt.seq}/{attempt.uuid}"


def _prompts(attempt: _Attempt) -> list[str]:
    if attempt.prompt is None:
        return []
    return [turn.content.text for turn in attempt.prompt.turns if turn.role == "user" and turn.content.text is not None]


def _columns(file: str, line: int, attempt: _Attempt, number: int, run: Run) -> dict[str, Json]:
    columns: dict[str, Json] = {"probe": attempt.probe_classname, "generation": number}
    if attempt.goal is not None:
        columns["goal"] = attempt.goal
    for name, scores in attempt.detector_results.items():
        run.scorers.setdefault(name)
        score = finite(scores[number]) if number < len(scores) else None
        if score is not None and not 0.0 <= float(score) <= 1.0:
            message = _('the score "{name}" of the attempt {item} is {found}')
            message = message.format(name=name, item=attempt.uuid, found=score)
            refuse("do.score-range", file, message, line=line, expected=_("a number from 0 to 1"))
        columns[f"score.{name}"] = score
    return columns
