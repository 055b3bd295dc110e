"""A finished run as a log of Inspect, which Inspect's own viewer and its functions open.

Format version 2, as `inspect_ai.log.EvalLog` documents it; Inspect is not needed for it. A sample is an item with the
calls of its trial. Its scores are named after the claims that were made about it: ``C`` where it passed, ``I`` where
it failed. A trial that was not measured has no score, so that Inspect's own figures leave it out, too; what it was
stands in its metadata. The verdict itself, with its interval, stands in the metadata of the scores.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from shinrai.check.journal import Line
from shinrai.check.trials import helper_of, said
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger import Promise, Run, State
from shinrai.records import Digest, Outcome, Trial, Verdict
from shinrai.report.changes import promises_of
from shinrai.report.dialogues import as_spoken
from shinrai.report.evidence import calls_of, trials_of

__all__ = ["write_inspect_log"]

VERSION: Final = 2
_AT_ONCE: Final = 500
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # one time for all members: equal runs give equal bytes
_VALUES: Final[dict[Outcome, str]] = {"pass": "C", "fail": "I"}
_ENDS: Final = {"complete": "success", "target-failed": "error", "superseded": "cancelled"}

Scored: TypeAlias = dict[str, Trial]
"""Name of a claim → its trial of the sample."""


def write_inspect_log(root: Path, state: State, run: Run, out: Path) -> int:
    """Write a run as an ``.eval`` archive.

    Parameters
    ----------
    root : Path
        Of the workspace.
    state : State
        Of its ledger.
    run : Run
        One that has ended.
    out : Path
        Where to; a file that is there is replaced, whole or not at all.

    Returns
    -------
    int
        Samples written.

    Raises
    ------
    UsageError
        If the run has not ended.
    TamperedError
        If a run file is gone or not what a run wrote.
    """
    if run.finished is None:
        raise UsageError(
            "show.not-ended",
            _("the run {run} has not ended").format(run=run.started.run),
            hint=_("its trials can be written when it has"),
        )
    promises = promises_of(state, run)
    samples = _samples(root, run, promises)
    partial = out.with_name(f".{out.name}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            spec = _spec(state, run, promises, [item for item, _calls in samples])
            _put(
                archive,
                "_journal/start.json",
                {"version": VERSION, "eval": spec, "plan": {"name": "plan", "steps": []}},
            )
            summaries = []
            for sample in _written(root, run, promises, samples):
                _put(archive, f"samples/{_safe(sample['id'])}_epoch_1.json", sample)
                summaries.append({key: sample[key] for key in ("id", "epoch", "input", "target", "scores", "metadata")})
            _put(archive, "summaries.json", summaries)
            _put(archive, "header.json", _header(state, run, promises, spec, len(samples)))
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return len(samples)


def _put(archive: zipfile.ZipFile, name: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, msgspec.json.encode(value))


def _safe(name: str) -> str:
    """Write an id so that it can be part of the name of a member."""
    return "".join(character if character.isalnum() or character in "-_.#" else "_" for character in name)[:150]


def _samples(root: Path, run: Run, promises: Mapping[Digest, Promise]) -> dict[tuple[str, tuple[str, ...]], Scored]:
    """Gather trials made of the same item by the same calls; they are one sample with several scores."""
    found: dict[tuple[str, tuple[str, ...]], Scored] = {}
    for trial in trials_of(root, run):
        if trial.commitment in promises:
            name = promises[trial.commitment].commitment.claim.rpartition("/")[2]
            found.setdefault((trial.item, trial.calls), {})[name] = trial
    return found


def _written(
    root: Path,
    run: Run,
    promises: Mapping[Digest, Promise],
    samples: Mapping[tuple[str, tuple[str, ...]], Scored],
) -> Iterator[dict[str, Any]]:
    numbers: dict[str, int] = {}
    rest = iter(samples.items())
    while some := list(islice(rest, _AT_ONCE)):
        calls = calls_of(root, run, {key for (_item, keys), _scored in some for key in keys})
        for (item, keys), scored in some:
            numbers[item] = numbers.get(item, 0) + 1
            name = item if numbers[item] == 1 else f"{item}#{numbers[item]}"
            talks = any(promises[trial.commitment].commitment.dialogue for trial in scored.values())
            found = [line for key in keys if key in calls for line in as_spoken(calls[key])]
            # What a driver and a judge of a dialogue were asked is left out: what was said stands in its turns.
            own = [call for call in found if helper_of(call.request) is None] if talks else found
            yield _sample(name, own, scored, failed=next((call for call in found if call.end == "error"), None))


def _sample(name: str, calls: Sequence[Line], scored: Scored, *, failed: Line | None) -> dict[str, Any]:
    trials = list(scored.values())
    messages = [message for number, call in enumerate(calls) for message in _messages(name, number, call)]
    last = calls[-1] if calls else None
    sample: dict[str, Any] = {
        "id": name,
        "epoch": 1,
        "input": _text(calls[0].request) if calls else "",
        "target": "",
        "messages": messages,
        "output": _output(last),
        "scores": {
            claim: {
                "value": _VALUES[trial.outcome],
                "explanation": trial.detail or None,
                "metadata": {"outcome": trial.outcome},
            }
            for claim, trial in scored.items()
            if trial.outcome in _VALUES
        },
        "metadata": {
            "position": min(trial.position for trial in trials),
            "outcomes": {claim: trial.outcome for claim, trial in scored.items()},
        },
        "events": [],
    }
    if failed is not None:
        sample["error"] = {"message": failed.error or "error", "traceback": "", "traceback_ansi": ""}
    return sample


def _messages(name: str, number: int, call: Line) -> list[dict[str, Any]]:
    asked = {"id": f"{name}/{number}/asked", "role": "user", "content": _text(said(call.request))}
    if call.end != "ok":
        return [asked]
    answered = {"id": f"{name}/{number}/said", "role": "assistant", "content": _text(call.reply), "source": "generate"}
    return [asked, answered]


def _output(call: Line | None) -> dict[str, Any]:
    if call is None or call.end == "error":
        return {"model": "", "choices": []}
    stop = "content_filter" if call.end == "blocked" else "stop"
    message = {"role": "assistant", "content": _text(call.reply), "source": "generate"}
    usage = {"input_tokens": call.tokens_in, "output_tokens": call.tokens_out}
    return {
        "model": "",
        "choices": [{"message": message, "stop_reason": stop}],
        "usage": {**usage, "total_tokens": call.tokens_in + call.tokens_out},
        "time": call.seconds,
    }


def _text(value: Any) -> str:  # noqa: ANN401 - a request or a reply is any JSON value
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _spec(state: State, run: Run, promises: Mapping[Digest, Promise], items: list[str]) -> dict[str, Any]:
    started = run.started
    version = next(
        (one for one in state.versions.get(started.system, []) if one.fingerprint == started.fingerprint), None
    )
    data = sorted({_data(promise) for promise in promises.values()})
    return {
        "eval_id": started.run,
        "run_id": started.run,
        "created": run.at.replace("Z", "+00:00"),
        "task": f"{started.system}/{started.run}",
        "task_id": started.run,
        "task_version": 0,
        "dataset": {"name": ", ".join(data), "samples": len(items), "sample_ids": items, "shuffled": True},
        "model": f"shinrai/{started.system}",
        "config": {"epochs": 1},
        "packages": {},
        "metadata": {
            "system": started.system,
            "system_version": version.number if version else None,
            "fingerprint": started.fingerprint,
            "commitments": {promise.commitment.claim: digest for digest, promise in promises.items()},
        },
    }


def _data(promise: Promise) -> str:
    data = promise.commitment.data
    return "" if data is None else data.use.file or str(data.use.imported)


def _header(
    state: State, run: Run, promises: Mapping[Digest, Promise], spec: dict[str, Any], count: int
) -> dict[str, Any]:
    judged = (one.verdict for found in state.judgements.values() for one in found)
    verdicts = {verdict.commitment: verdict for verdict in judged if verdict.run == run.started.run}
    ended = (run.finished_at or run.at).replace("Z", "+00:00")
    header: dict[str, Any] = {
        "version": VERSION,
        "status": _ENDS[run.finished.end] if run.finished else "started",
        "eval": spec,
        "plan": {"name": "plan", "steps": []},
        "results": {
            "total_samples": count,
            "completed_samples": count,
            "scores": [_score(promise, verdicts[digest]) for digest, promise in promises.items() if digest in verdicts],
        },
        "stats": {"started_at": spec["created"], "completed_at": ended, "model_usage": {}},
    }
    if header["status"] == "error":
        why = str(run.finished.details.get("why", "target-failed")) if run.finished else ""
        header["error"] = {"message": why, "traceback": "", "traceback_ansi": ""}
    return header


def _score(promise: Promise, verdict: Verdict) -> dict[str, Any]:
    commitment, counts = promise.commitment, verdict.counts
    figures = {"estimate": verdict.estimate, "lower": verdict.lower, "upper": verdict.upper}
    told = verdict.to_json()
    return {
        "name": commitment.claim.rpartition("/")[2],
        "scorer": commitment.scorer.use.id if commitment.scorer else "",
        "scored_samples": counts.passed + counts.failed,
        "unscored_samples": counts.total - counts.passed - counts.failed,
        "params": {},
        "metrics": {
            name: {"name": name, "value": value, "params": {}} for name, value in figures.items() if value is not None
        },
        "metadata": {
            "metric": commitment.metric,
            "comparator": commitment.comparator,
            "threshold": commitment.threshold,
            "verdict": {key: value for key, value in told.items() if key != "trace"},
        },
    }
