"""How a run ends: calls and trials archived, then verdicts and end in the ledger, then the journals gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Literal

from shinrai.check.archive import write_run
from shinrai.check.engine import End
from shinrai.check.files import journals_of
from shinrai.check.journal import not_written
from shinrai.check.sources import evidence_of
from shinrai.check.targets.protocol import CallError
from shinrai.ledger import Ledger, State
from shinrai.records import Json, Judged, Payload, Reason, RunFinished, RunStarted, Text, Verdict, digest_file

__all__ = ["RunEnd", "clear_away", "end_run", "note_of", "reason_of"]

_REASONS: Final[dict[End, Reason | None]] = {
    "complete": None,
    "target-unreachable": "target-unreachable",
    "target-failed": "target-failed",
    "helper-failed": "helper-failed",
    "budget-spent": "budget-spent",
    "money-spent": "money-spent",
    "tokens-spent": "tokens-spent",
}


def reason_of(end: End) -> Reason | None:
    """Give the reason that the end of a run is for a claim that was not done; None where all were."""
    return _REASONS[end]


def note_of(end: End, failure: CallError | None) -> Text | None:
    """Give the last failure for a person, where the run ended by failures."""
    if failure is None or not end.endswith(("-failed", "-unreachable")):
        return None
    return Text(en=f"{failure.kind}: {failure.detail}"[:500] if failure.detail else failure.kind)


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What the ledger hears of the end of a run.

    Parameters
    ----------
    started : RunStarted
    how : {"complete", "target-failed", "superseded"}
    calls : int
        Finished calls.
    details : mapping
        What it cost, and why it ended.
    verdicts : sequence of Verdict
    trials : sequence of file
        As for `write_run`.
    """

    started: RunStarted
    how: Literal["complete", "target-failed", "superseded"]
    calls: int
    details: Mapping[str, Json] = field(default_factory=dict)
    verdicts: Sequence[Verdict] = ()
    trials: Sequence[IO[bytes]] = ()


def end_run(root: Path, ledger: Ledger, end: RunEnd) -> None:
    """Archive, write the end to the ledger, then remove the journals: a crash in between loses nothing.

    Parameters
    ----------
    root : Path
        Of the workspace.
    ledger : Ledger
        Open for writing.
    end : RunEnd
        What it has come to.

    Raises
    ------
    StoreError
        If the files could not be written, or not be read again.
    """  # noqa: DOC501 - `not_written` makes the StoreError
    started = end.started
    directory = root / started.directory
    paths = [*write_run(directory, journals_of(directory), end.trials), *evidence_of(directory)]
    try:
        files = {path.relative_to(root).as_posix(): digest_file(path) for path in paths}
    except OSError as error:  # a file that cannot be read again is no evidence
        raise not_written(f"{started.directory}/*.parquet", error) from error
    finished = RunFinished(run=started.run, end=end.how, files=files, calls=end.calls, details=dict(end.details))
    payloads: list[Payload] = [Judged(verdict=verdict) for verdict in end.verdicts]
    ledger.append(*payloads, finished)
    for journal in journals_of(directory):
        journal.unlink()


def clear_away(root: Path, state: State) -> None:
    """Remove journals whose run has ended: a crash can come between the end in the ledger and their removal."""
    for one in state.runs.values():
        if one.finished is not None:
            for journal in journals_of(root / one.started.directory):
                journal.unlink(missing_ok=True)
