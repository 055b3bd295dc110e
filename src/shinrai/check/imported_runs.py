"""Imported runs in the archive: their replies and trials are kept like those of our own runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import msgspec

from shinrai.check.archive import trial_row, write_run
from shinrai.check.choosing import require_rule_unchanged
from shinrai.check.imported import imports_of, judge_imported
from shinrai.check.journal import Line, not_written
from shinrai.ledger import Ledger, Promise, State
from shinrai.records import Id, Judged, Payload, RunFinished, RunStarted, Trial, Verdict, digest_file
from shinrai.workspace import kept_copy

__all__ = ["judge_and_archive"]

_encode = msgspec.json.Encoder().encode
_LEFT: Final = ("imported.jsonl", "*.parquet", "*.rows", "*.draft")


def judge_and_archive(promise: Promise, ledger: Ledger, root: Path, runs: str) -> Verdict | None:
    """Judge a promise on imported trials, archive them as a run, and write both into the ledger.

    A log of decisions holds no replies: its rows are the evidence, and there is no run.

    Parameters
    ----------
    promise : Promise
        On imported data.
    ledger : Ledger
        Open for writing.
    root : Path
        Of the workspace.
    runs : str
        Folder of the runs, relative to it.

    Returns
    -------
    Verdict or None
        None where the last verdict was made of the same evidence.

    Raises
    ------
    TamperedError
        If a kept copy is gone or changed.
    UsageError, PluginError
        As `judge_imported`; if the scorer has changed since the plan.
    StoreError
        If the run could not be kept.
    """
    state = ledger.state()
    found = imports_of(promise, state)
    if _told_before(promise, state, [entry.hash for entry, _one in found]):
        for _entry, one in found:
            kept_copy(root, one)
        return None
    if promise.commitment.scorer is not None:
        require_rule_unchanged(root, promise.commitment.scorer)
    if all(one.format == "decisions" for _entry, one in found):
        verdict = judge_imported(promise, state, root)
        last = state.judgement(promise.commitment.key)
        if last is not None and last.verdict == verdict:
            return None
        ledger.append(Judged(verdict=verdict))
        return verdict
    return _archived(promise, ledger, root, runs, tuple(dict.fromkeys(one.name for _entry, one in found)))


def _told_before(promise: Promise, state: State, evidence: Sequence[str]) -> bool:
    last = state.judgement(promise.commitment.key)
    return (
        last is not None
        and last.verdict.commitment == promise.digest
        and bool(evidence)
        and last.verdict.evidence == tuple(evidence)
    )


def _archived(promise: Promise, ledger: Ledger, root: Path, runs: str, names: tuple[str, ...]) -> Verdict:
    state, system = ledger.state(), promise.commitment.system
    name = f"run-{len(state.runs) + 1:04d}"
    directory = f"{runs}/{name}"
    folder = root / directory
    journal = folder / "imported.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for pattern in _LEFT:  # of an attempt that a crash cut short: the ledger knows no run of this name
            for left in folder.glob(pattern):
                left.unlink()
        with TemporaryFile(dir=folder) as trials, journal.open("wb") as lines:
            keys: set[str] = set()

            def keep(trial: Trial) -> None:
                trials.write(trial_row(trial))

            def keep_line(line: Line) -> None:
                if line.key not in keys:
                    keys.add(line.key)
                    lines.write(_encode(line) + b"\n")

            verdict = judge_imported(promise, state, root, keep=keep, keep_line=keep_line)
            lines.flush()
            paths = write_run(folder, [journal], [trials])
        files = {f"{directory}/{path.name}": digest_file(path) for path in paths}
    except OSError as error:
        raise not_written(directory, error) from error
    verdict = verdict.model_copy(update={"run": name})
    ledger.append(*_entries(promise, system, name, directory, files, names, verdict))
    journal.unlink(missing_ok=True)
    return verdict


def _entries(  # noqa: PLR0913, PLR0917 - what the ledger hears of a run
    promise: Promise,
    system: Id,
    name: str,
    directory: str,
    files: dict[str, str],
    names: tuple[str, ...],
    verdict: Verdict,
) -> tuple[Payload, ...]:
    return (
        RunStarted(
            run=name,
            system=system,
            fingerprint=promise.commitment.fingerprint,
            commitments=(promise.digest,),
            directory=directory,
        ),
        Judged(verdict=verdict),
        RunFinished(run=name, end="complete", files=files, calls=0, details={"imported": list(names)}),
    )
