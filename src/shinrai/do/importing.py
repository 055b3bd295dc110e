"""`shinrai do import FILE`: which tool wrote it, and how its run comes into the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec

from shinrai.do.decisions import import_decisions
from shinrai.do.keeping import keep_pieces
from shinrai.do.marks import Marks
from shinrai.do.naming import require_system
from shinrai.do.recognising import recognise
from shinrai.do.refusing import refuse
from shinrai.do.runs import Row, Run
from shinrai.errors import PluginError, UsageError
from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.plugins import Offer, called, choose, load, names
from shinrai.records import IMPORT_FORMATS, Digest, EvidenceBrought, Id, Import, ImportFormat, Provenance, digest_file
from shinrai.rules.standing import standing
from shinrai.workspace import Workspace

__all__ = ["import_file"]

READERS: Final[dict[ImportFormat, str]] = {
    "outputs": "shinrai.do.outputs:read_outputs",
    "inspect": "shinrai.do.inspect_log:read_inspect",
    "lm-evaluation-harness": "shinrai.do.lm_eval:read_lm_eval",
    "promptfoo": "shinrai.do.promptfoo:read_promptfoo",
    "deepeval": "shinrai.do.deepeval:read_deepeval",
    "garak": "shinrai.do.garak:read_garak",
    "aisev": "shinrai.do.aisev:read_aisev",
}
"""The importers that Shinrai has; others are plug-ins."""

_TOLD_EVERY: Final = 1_000
_encode = msgspec.json.Encoder().encode


def import_file(  # noqa: PLR0917 - what, into what, about what, and how
    ledger: Ledger,
    workspace: Workspace,
    path: Path,
    system: Id | None,
    importer: Id | None = None,
    tell: Callable[[int], None] | None = None,
) -> Import:
    """Bring in trials that happened elsewhere, from the file of any tool that is known.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded.
    path : Path
        A log of decisions, captured replies, or the results of a tool; what it is is told by what is in it.
    system : Id or None
        The system that was asked. None is refused: it is only for those who forgot.
    importer : Id, optional
        The importer that reads the file, one of one's own included; told by the file where it is not given.
    tell : callable, optional
        Told how many rows were read, every thousand rows.

    Returns
    -------
    Import
        As it is in the ledger. Importing the very same again changes nothing.

    Raises
    ------
    UsageError
        If there is no such system, or no such importer.
    PluginError
        If an importer of one's own fails; nothing is imported then.
    SourceError
        If the file is not understood, with the field that is not; nothing is imported then.
    StoreError
        If the copy cannot be kept.
    """
    if system is None:
        raise UsageError(
            "do.which-system",
            _("Which system was asked is not said"),
            hint=_("name it: --system {names}").format(names=" | ".join(workspace.systems)),
        )
    require_system(system, workspace)
    form = recognise(path) if importer is None else importer
    if form == "decisions":
        return import_decisions(ledger, workspace, path, system)
    if form == "aisev-data-set":
        refuse(
            "do.only-questions",
            path.name,
            _("this is a data set: questions without replies"),
            hint=_("leave --system out: it becomes a file of the workspace that a check can name"),
        )
    about = standing(workspace.systems[system], workspace, ledger.state()).fingerprint
    run = read(form, path, workspace.root)
    if tell is not None:
        run.rows = _counted(run.rows, tell)
    return _bring(ledger, workspace.root, run, path, system, about=about)


def _counted(rows: Iterator[Row], tell: Callable[[int], None]) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        yield row
        if number % _TOLD_EVERY == 0:
            tell(number)


def read(form: ImportFormat, path: Path, root: Path) -> Run:
    """Read a file of results.

    Parameters
    ----------
    form : ImportFormat
        One of `READERS`, or the name of a plug-in.
    path : Path
        The file.
    root : Path
        Of the workspace, which may have importers of its own.

    Returns
    -------
    Run
        Its rows are read while they are gone through.

    Raises
    ------
    UsageError
        If there is no such importer, or two of one name.
    PluginError
        If a plug-in fails to load, or to begin.
    """
    if form in READERS and form not in names("importer", root):
        module, _colon, reader = READERS[form].partition(":")
        run: Run = getattr(import_module(module), reader)(path)
        return run
    offer = choose("importer", form, root, shipped=IMPORT_FORMATS)
    found = called(offer, load(offer), path)
    if not isinstance(found, Run):
        message = _("{file}: importer(path) has to return a Run").format(file=offer.plugin.file)
        raise PluginError("plugin.no-run", message)
    return replace(found, format=form, plugin=offer.plugin, rows=_guarded(offer, found.rows))


def _guarded(offer: Offer, rows: Iterator[Row]) -> Iterator[Row]:
    """Go through the rows of a plug-in.

    Raises
    ------
    PluginError
        Whatever is wrong with them, with its file and line.
    """
    going = iter(rows)
    while (row := called(offer, next, going, None)) is not None:
        if not isinstance(row, Row):
            message = _("{file}: a row is no Row").format(file=offer.plugin.file)
            raise PluginError("plugin.no-row", message)
        yield row


def _bring(ledger: Ledger, root: Path, run: Run, path: Path, system: Id, *, about: Digest | None = None) -> Import:
    book = _Book(run, path.name)
    file, digest = keep_pieces(root, book.pieces(), f"{path.stem}.jsonl")
    evidence = Import(
        format=run.format,
        system=system,
        fingerprint=about,
        name=path.name,
        file=file,
        file_digest=digest,
        rows=book.rows,
        provenance=book.provenance(),
    )
    same = [one for _entry, one in ledger.state().evidence if isinstance(one, Import) and one == evidence]
    if not same:
        ledger.append(EvidenceBrought(evidence=evidence))
    return evidence


class _Book:
    """Counts the rows of a run while they are kept."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = name
        self.rows = 0
        self._missing: Counter[str] = Counter()
        self._empty: Counter[str] = Counter()
        self._numeric: set[str] = set()
        self._ids = Marks()

    def pieces(self) -> Iterator[bytes]:
        """Give the kept copy, row by row.

        Raises
        ------
        SourceError
            If there is no row, or an id stands there twice.
        """
        for row in self._run.rows:
            self._note(row)
            yield _encode(row.kept()) + b"\n"
        if not self.rows:
            refuse("do.empty", self._name, _("the file holds no trial"))
        twice = self._ids.twice()
        if twice is not None:
            message = _("the trials {first} and {second} of the file have the same id")
            hint = _("a trial must count once: remove the repetition, or tell the rows apart")
            refuse("do.sample-twice", self._name, message.format(first=twice[0], second=twice[1]), hint=hint)

    def _note(self, row: Row) -> None:
        self.rows += 1
        self._ids.add(row.id)
        if row.end != "ok":
            kind = (row.error or row.end).partition(":")[0]
            self._missing[kind] += 1
            return
        for name, value in row.columns.items():
            if value is None:
                self._empty[name] += 1
            elif isinstance(value, int | float):
                self._numeric.add(name)

    def _unscored(self) -> dict[str, int]:
        """Count the scores that cannot be read: empty ones, and empty cells of what is a number in other rows."""
        return {
            name: count
            for name, count in sorted(self._empty.items())
            if name.startswith("score.") or (name in self._numeric and not name.startswith("metadata."))
        }

    def provenance(self) -> Provenance:
        """Say where the run comes from, now that all of it was read."""
        run = self._run
        return Provenance(
            tool=run.tool,
            version=run.version,
            files={file.name: digest_file(file) for file in run.files},
            size=sum(file.stat().st_size for file in run.files),
            began=run.began,
            ended_as=run.ended_as,
            task=run.task,
            model=run.model,
            scorers=tuple(run.scorers),
            selection=run.selection,
            order=run.order,
            planned=self.rows,
            missing=dict(sorted(self._missing.items())),
            unscored=self._unscored() or None,
            summary=run.summary,
            plugin=run.plugin,
        )
