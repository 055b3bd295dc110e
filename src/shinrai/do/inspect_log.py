"""Logs of Inspect (UK AI Security Institute): ``.eval`` archives and JSON.

Read without Inspect: format version 2, as its `inspect_ai.log.EvalLog` documents it. Of each sample only what a trial
needs is decoded; its messages and events, which are most of a log, are passed over.

A sample that was planned (``eval.dataset.sample_ids`` times epochs) and is not in the log is a trial that was not run.
A log of a run that was killed or cancelled is read as far as it goes, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from shinrai.do.decoding import decoded
from shinrai.do.json_stream import stream
from shinrai.do.refusing import refuse
from shinrai.do.runs import NOT_RUN, Row, Run, finite, moment
from shinrai.do.zip_reading import Archive, reading
from shinrai.i18n import _
from shinrai.records import Json

VERSION: Final = 2
"""The version of the log format that is understood."""

_ATTACHED: Final = "attachment://"
_REFUSALS: Final = frozenset({"content_filter"})


class _Dataset(msgspec.Struct):
    name: str | None = None
    samples: int | None = None
    sample_ids: list[int | str] | None = None
    shuffled: bool | None = None


class _Config(msgspec.Struct):
    limit: int | list[int] | None = None
    sample_id: Any = None
    sample_shuffle: bool | int | None = None
    epochs: int | None = None


class _Spec(msgspec.Struct):
    task: str
    model: str
    dataset: _Dataset
    config: _Config
    created: str | None = None
    packages: dict[str, str] = {}


class _Metric(msgspec.Struct):
    value: Any = None


class _Scored(msgspec.Struct):
    name: str
    metrics: dict[str, _Metric] = {}
    scored_samples: int | None = None
    unscored_samples: int | None = None


class _Results(msgspec.Struct):
    total_samples: int = 0
    completed_samples: int = 0
    early_stopping: dict[str, Any] | None = None
    scores: list[_Scored] = []


class _Stats(msgspec.Struct):
    started_at: str | None = None


class _Header(msgspec.Struct):
    version: int
    eval: _Spec
    status: str = "started"
    results: _Results | None = None
    stats: _Stats = msgspec.field(default_factory=_Stats)


class _Message(msgspec.Struct):
    content: str | list[dict[str, Any]] = ""
    role: str = ""


class _Choice(msgspec.Struct):
    message: _Message
    stop_reason: str | None = None


class _Output(msgspec.Struct):
    choices: list[_Choice] = []
    error: str | None = None


class _Score(msgspec.Struct):
    value: Any


class _Error(msgspec.Struct):
    message: str = ""


class _Limit(msgspec.Struct):
    type: str


class _Sample(msgspec.Struct):
    id: int | str
    epoch: int
    input: str | list[_Message]
    target: str | list[str] = ""
    output: _Output = msgspec.field(default_factory=_Output)
    scores: dict[str, _Score] | None = None
    metadata: dict[str, Any] = {}
    error: _Error | None = None
    limit: _Limit | None = None
    invalidation: dict[str, Any] | None = None
    attachments: dict[str, str] = {}


def read_inspect(path: Path) -> Run:
    """Read a log of Inspect.

    Parameters
    ----------
    path : Path
        ``.eval`` or ``.json``.

    Returns
    -------
    Run
        Its rows, in the order of the log, raise SourceError for what is not as Inspect writes it.
    """
    run = Run("inspect", "inspect-ai", files=[path])
    with path.open("rb") as file:
        packed = file.read(2) == b"PK"
    run.rows = _from_archive(path, run) if packed else _from_json(path, run)
    return run


def _from_archive(path: Path, run: Run) -> Iterator[Row]:
    with reading(path) as archive:
        log = _Log(path.name, _header_of(path.name, archive), run)
        for name in archive.names:
            if name.startswith("samples/") and name.endswith(".json"):
                yield log.row(decoded(f"{path.name}/{name}", archive.read(name), _Sample))
        yield from log.not_run()


def _header_of(file: str, archive: Archive) -> _Header:
    wanted = ("header.json", "_journal/start.json")  # the second one alone: the run never ended
    name = next((name for name in wanted if name in archive.names), None)
    if name is None:
        refuse("do.bad-field", file, _('there is no "{name}" in the archive').format(name="header.json"))
    header: _Header = decoded(f"{file}/{name}", archive.read(name), _Header)
    return header


def _from_json(path: Path, run: Run) -> Iterator[Row]:
    log: _Log | None = None
    members: dict[str, Any] = {}
    with path.open("rb") as file:
        for place, value in stream(file, path.name, (("samples",),)):
            if place != ("samples",):
                if place[0] in {"version", "status", "eval", "results", "stats"}:
                    members[place[0]] = msgspec.Raw(value)
                continue
            log = log or _Log(path.name, _assembled(path.name, members), run)
            yield log.row(decoded(path.name, value, _Sample))
    log = log or _Log(path.name, _assembled(path.name, members), run)
    log.header = _assembled(path.name, members)
    log.tell()
    yield from log.not_run()


def _assembled(file: str, members: dict[str, Any]) -> _Header:
    header: _Header = decoded(file, msgspec.json.encode(members), _Header)
    return header


class _Log:
    """A log whose header is known: turns samples into rows, and remembers which were there."""

    def __init__(self, file: str, header: _Header, run: Run) -> None:
        if header.version != VERSION:
            refuse(
                "do.bad-field",
                file,
                _('the field "{name}" is {found}').format(name="version", found=header.version),
                expected=_("version {number} of the format").format(number=VERSION),
            )
        self.file = file
        self.header = header
        self._run = run
        self._epochs = header.eval.config.epochs or 1
        self._seen: set[tuple[str, int]] = set()
        self.tell()

    def tell(self) -> None:
        """Write down what the log says of the run."""
        header, run = self.header, self._run
        spec, dataset, config = header.eval, header.eval.dataset, header.eval.config
        run.version = spec.packages.get("inspect_ai")
        run.task, run.model, run.ended_as = spec.task, spec.model, header.status
        run.began = moment(header.stats.started_at or spec.created, self.file, "stats.started_at")
        chosen = len(dataset.sample_ids) if dataset.sample_ids is not None else None
        limit = "none" if config.limit is None else str(config.limit)
        run.selection = f"{chosen} of {dataset.samples} samples, {self._epochs} epochs, limit {limit}"
        if config.sample_id is not None:
            run.selection += ", by sample_id"
        shuffled = config.sample_shuffle if config.sample_shuffle is not None else dataset.shuffled
        run.order = "shuffled" if shuffled else "as in the data set"
        if isinstance(config.sample_shuffle, int) and not isinstance(config.sample_shuffle, bool):
            run.order += f", seed {config.sample_shuffle}"
        if header.results is not None:
            run.summary = _summary(header.results)

    def row(self, sample: _Sample) -> Row:
        """Turn a sample into a row."""
        name = str(sample.id)
        self._seen.add((name, sample.epoch))
        texts = (
            [sample.input] if isinstance(sample.input, str) else [_text(m) for m in sample.input if m.role == "user"]
        )
        prompts = [self._whole(text, sample) for text in texts]
        columns = self._columns(sample)
        row_id = self._row_id(name, sample.epoch)
        problem = _problem(sample)
        choices = sample.output.choices
        if problem is not None:
            return Row(row_id, name, prompts, "error", error=problem, columns=columns)
        if len(choices) > 1:
            message = _('the field "{name}" of the sample {item} holds {count} replies')
            message = message.format(name="output.choices", item=repr(name), count=len(choices))
            refuse("do.bad-field", self.file, message, expected=_("one reply a sample and epoch"))
        if choices and choices[0].stop_reason in _REFUSALS:
            return Row(row_id, name, prompts, "blocked", columns=columns)
        reply = self._whole(_text(choices[0].message), sample) if choices else None
        if reply is None:
            return Row(row_id, name, prompts, "error", error="empty", columns=columns)
        return Row(row_id, name, prompts, "ok", reply, columns=columns)

    def _row_id(self, name: str, epoch: int) -> str:
        return name if self._epochs == 1 else f"{name}#{epoch}"

    def _whole(self, text: str, sample: _Sample) -> str:
        """Put a long text back that the log keeps aside.

        Raises
        ------
        SourceError
            If it is not there.
        """
        if not text.startswith(_ATTACHED):
            return text
        name = text.removeprefix(_ATTACHED)
        if name not in sample.attachments:
            message = _("the sample {item} names an attachment that is not in it: {name}")
            refuse("do.bad-field", self.file, message.format(item=repr(sample.id), name=repr(name)[:80]))
        return sample.attachments[name]

    def _columns(self, sample: _Sample) -> dict[str, Json]:
        columns: dict[str, Json] = {"epoch": sample.epoch}
        for name, score in (sample.scores or {}).items():
            self._run.scorers.setdefault(name)
            if isinstance(score.value, dict):
                columns |= {f"score.{name}.{key}": finite(value) for key, value in score.value.items()}
            else:
                columns[f"score.{name}"] = finite(score.value)
        if sample.limit is not None:
            columns["limit"] = sample.limit.type
        if sample.target:
            columns["target"] = sample.target
        scalars = {key: value for key, value in sample.metadata.items() if isinstance(value, str | int | float | bool)}
        return columns | {f"metadata.{key}": finite(value) for key, value in scalars.items()}

    def not_run(self) -> Iterator[Row]:
        """Give a row for each sample and epoch that was planned and is not in the log."""
        for number in self.header.eval.dataset.sample_ids or ():
            for epoch in range(1, self._epochs + 1):
                name = str(number)
                if (name, epoch) not in self._seen:
                    yield Row(self._row_id(name, epoch), name, [], "error", error=NOT_RUN)


def _problem(sample: _Sample) -> str | None:
    if sample.error is not None:
        return f"error: {sample.error.message}"
    if sample.invalidation is not None:
        return "invalidated"
    return f"error: {sample.output.error}" if sample.output.error else None


def _text(message: _Message) -> str:
    """Give the text of a message; pictures and reasoning are no part of the reply."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(str(part.get("text", "")) for part in message.content if part.get("type") == "text")


def _summary(results: _Results) -> dict[str, Json]:
    scores: dict[str, Json] = {
        score.name: {name: finite(metric.value) for name, metric in score.metrics.items()} for score in results.scores
    }
    found: dict[str, Json] = {
        "total_samples": results.total_samples,
        "completed_samples": results.completed_samples,
        "scores": scores,
    }
    if results.early_stopping is not None:
        found["stopped_early"] = len(results.early_stopping.get("early_stops") or ())
    return found
