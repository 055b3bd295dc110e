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
from shinrai.do.marks import Marks
from shinrai.do.refusing import refuse
from shinrai.do.runs import NOT_RUN, Row, Run, finite, moment
from shinrai.do.zip_reading import Archive, reading
from shinrai.i18n import N_, _
from shinrai.records import Json
from shinrai.source.inspect_samples import Sample, row_of

VERSION: Final = 2
"""The version of the log format that is understood."""


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
        for member in archive:
            if member.name.startswith("samples/") and member.name.endswith(".json"):
                yield log.row(decoded(f"{path.name}/{member.name}", archive.read(member), Sample))
        yield from log.not_run()


def _header_of(file: str, archive: Archive) -> _Header:
    found = archive.find("header.json") or archive.find("_journal/start.json")  # that alone: the run never ended
    if found is None:
        refuse("do.bad-field", file, _('there is no "{name}" in the archive').format(name="header.json"))
    header: _Header = decoded(f"{file}/{found.name}", archive.read(found), _Header)
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
            yield log.row(decoded(path.name, value, Sample))
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
        self._seen = Marks()
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
        run.order = N_("shuffled") if shuffled else N_("as in the data set")
        if isinstance(config.sample_shuffle, int) and not isinstance(config.sample_shuffle, bool):
            run.order += f", seed {config.sample_shuffle}"
        if header.results is not None:
            run.summary = _summary(header.results)

    def row(self, sample: Sample) -> Row:
        """Turn a sample into a row."""
        name = str(sample.id)
        self._seen.add(_named(name, sample.epoch))
        for scorer in sample.scores or {}:
            self._run.scorers.setdefault(scorer)
        return row_of(sample, row_id=self._row_id(name, sample.epoch), file=self.file)

    def _row_id(self, name: str, epoch: int) -> str:
        return name if self._epochs == 1 else f"{name}#{epoch}"

    def not_run(self) -> Iterator[Row]:
        """Give a row for each sample and epoch that was planned and is not in the log."""
        planned = self.header.eval.dataset.sample_ids or []
        texts = (_named(str(sample), epoch) for sample in planned for epoch in range(1, self._epochs + 1))
        for place in self._seen.lacking(texts):
            number, epoch = divmod(place, self._epochs)
            name = str(planned[number])
            yield Row(self._row_id(name, epoch + 1), name, [], "error", error=NOT_RUN)


def _named(sample: str, epoch: int) -> str:
    return f"{epoch}#{sample}"


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
