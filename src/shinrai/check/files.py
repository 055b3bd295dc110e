"""The files of a run: where they are, what of them is taken over by the next run, and trials while they are counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

import msgspec

from shinrai.check.archive import read_calls, run_files, trial_row
from shinrai.check.claims import Keep
from shinrai.check.journal import Line, not_written, read_journal
from shinrai.errors import TamperedError
from shinrai.i18n import _
from shinrai.ledger import Run
from shinrai.records import Trial, digest_file

__all__ = ["CALLS", "RUNS", "TrialFiles", "carried_calls", "journals_of", "lines_of"]

RUNS = ".shinrai/runs"
CALLS = "calls.jsonl"
"""The journal of a run that goes on. When it has ended, `shinrai.check.archive` has its contents."""


def lines_of(root: Path, run: Run) -> Iterator[Line]:
    """Read the finished calls of a run, whether it has ended or not.

    Raises
    ------
    TamperedError
        If a run file is gone or not what a run wrote.
    """
    if run.finished is not None:
        yield from read_calls(run_files(root, run.finished, "calls"))
        return
    for path in journals_of(root / run.started.directory):
        yield from read_journal(path, shown_as=f"{run.started.directory}/{path.name}")


def carried_calls(root: Path, before: Run | None) -> Iterator[Line]:
    """Read the finished calls of a closed run.

    Raises
    ------
    TamperedError
        If a file is not what it was when the run was closed.
    """
    if before is None or before.finished is None:
        return
    paths = run_files(root, before.finished, "calls")
    for path in paths:
        name = path.relative_to(root).as_posix()
        if not path.is_file() or digest_file(path) != before.finished.files[name]:
            raise TamperedError("run.file-changed", _("the run file {file} is gone or was changed").format(file=name))
    for line in read_calls(paths):
        if line.end != "error":
            yield msgspec.structs.replace(line, run=line.run or before.started.run)


def journals_of(directory: Path) -> list[Path]:
    """Give the journal of a run and those of its workers, in order."""
    return [directory / CALLS, *sorted(directory.glob("calls-*.jsonl"))]


class TrialFiles:
    """The trials of a run while they are counted: on disk, in files that have no name and outlive no crash.

    They can be made again from the journal, which is what happens after a crash.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()
        self.files: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        with suppress(OSError):  # a full disk: what is lost can be made again from the journal
            self._stack.close()

    def of_the_next_claim(self) -> Keep:
        """Give the function that keeps the trials of another claim."""
        file = self._stack.enter_context(TemporaryFile(dir=self._directory))  # noqa: SIM115 - it is
        self.files.append(file)
        write = file.write

        def keep(trial: Trial) -> None:
            try:
                write(trial_row(trial))
            except OSError as error:
                raise not_written("trials", error) from error

        return keep
