"""``shinrai show``: browse the trials of a run, and compare two runs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from shinrai.cli.session import Session, json_option, note, put_json, session
from shinrai.errors import UsageError, nearest
from shinrai.i18n import _
from shinrai.records import Commitment, Digest, Outcome, Trial

if TYPE_CHECKING:
    from shinrai.check.journal import Line
    from shinrai.ledger import Promise, Run, State
    from shinrai.report.changes import Change

_AT_ONCE = 1_000
"""Trials whose replies are read together."""

_EPILOG = """\b
Examples:
  shinrai show                              the runs
  shinrai show run-0001                     the claims of a run, with counts
  shinrai show run-0001 --outcome fail      every trial that failed, with question and reply
  shinrai show run-0001 --next-failure      one at a time; says how to get to the next
  shinrai show run-0003 --against run-0001  what ended differently
  shinrai show run-0001 --as-inspect x.eval written as a log that Inspect opens
"""


@click.command("show", epilog=_EPILOG)
@click.argument("run", required=False)
@click.option("--claim", "claims", multiple=True, metavar="ID", help="Only claims of this name; may be given again.")
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice(get_args(Outcome)),
    help="Only trials that ended so; may be given again.",
)
@click.option("--item", metavar="ID", help="Only trials of this item.")
@click.option("--next-failure", is_flag=True, help="The first trial that did not pass, or the next after --item.")
@click.option("--against", metavar="RUN", help="What ended differently than in this earlier run.")
@click.option(
    "--as-inspect",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the run as a log of Inspect (.eval), and show nothing.",
)
@json_option("Print everything as JSON.")
@click.pass_obj
def command(start: str, /, run: str | None, *, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - as click gives them
    """Browse the trials of a run: question, reply, what the scorer found, how the call went.

    Without a run, lists the runs. What a system replied is shown inert: characters that could control the terminal or
    hide something are made visible. With --json, replies are as they came.
    """
    with session(start, write=False) as opened:
        if run is None:
            _runs(opened.ledger.state(), as_json=as_json)
            return
        shelf = _shelf(opened, run, asked["claims"])
        wanted = _Wanted(frozenset(asked["outcomes"]), asked["item"])
        if asked["as_inspect"]:
            _as_inspect(shelf, asked["as_inspect"], as_json=as_json)
        elif asked["against"]:
            _against(shelf, asked["against"], wanted, as_json=as_json)
        elif asked["next_failure"]:
            _next_failure(shelf, wanted, as_json=as_json)
        elif asked["claims"] or wanted.outcomes or wanted.item:
            _trials(shelf, filter(wanted, shelf.trials()), as_json=as_json)
        else:
            _claims(shelf, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which trials were asked for."""

    outcomes: frozenset[Outcome]
    item: str | None

    def __call__(self, trial: Trial) -> bool:
        """Tell whether a trial is one of them."""
        return (not self.outcomes or trial.outcome in self.outcomes) and self.item in {None, trial.item}


@dataclass(frozen=True, slots=True)
class _Shelf:
    """A run, and those of its promises that were asked for."""

    opened: Session
    state: State
    run: Run
    promises: dict[Digest, Promise]

    @property
    def name(self) -> str:
        """The run's name."""
        return self.run.started.run

    def commitment(self, trial: Trial) -> Commitment:
        """Give the promise of a trial."""
        return self.promises[trial.commitment].commitment

    def claim(self, trial: Trial) -> str:
        """Give the path of a trial's claim."""
        return self.commitment(trial).claim

    def trials(self) -> Iterator[Trial]:
        """Read the trials of these promises, in committed order."""
        from shinrai.report.evidence import trials_of  # noqa: PLC0415 - loaded only when the verb runs

        only = next(iter(self.promises)) if len(self.promises) == 1 else None
        found = trials_of(self.opened.root, self.run, commitment=only)
        return (trial for trial in found if trial.commitment in self.promises)

    def calls(self, trials: Iterable[Trial]) -> dict[str, Line]:
        """Read the calls of trials, by their keys."""
        from shinrai.report.evidence import calls_of  # noqa: PLC0415 - loaded only when the verb runs

        return calls_of(self.opened.root, self.run, {key for trial in trials for key in trial.calls})

    def with_calls(self, trials: Iterator[Trial]) -> Iterator[tuple[Trial, list[Line]]]:
        """Give each trial with its calls, some trials at a time."""
        while some := list(islice(trials, _AT_ONCE)):
            calls = self.calls(some)
            for trial in some:
                yield trial, lines_of(trial, calls)


def lines_of(trial: Trial, calls: dict[str, Line]) -> list[Line]:
    """Pick the calls of a trial, in its order."""
    return [calls[key] for key in trial.calls if key in calls]


def _shelf(opened: Session, name: str, claims: tuple[str, ...]) -> _Shelf:
    """Find a run and the promises asked for; all of them when no claim was named.

    Raises
    ------
    UsageError
        If the run or a claim is unknown.
    """
    from shinrai.cli.check import named  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.changes import promises_of  # noqa: PLC0415 - loaded only when the verb runs

    state = opened.ledger.state()
    if name not in state.runs:
        message = _("there is no run called {name}").format(name=name)
        raise UsageError("show.unknown-run", message, hint=_meant(name, state.runs))
    run = state.runs[name]
    promises = promises_of(state, run)
    paths = [promise.commitment.claim for promise in promises.values()]
    known = {*paths, *(path.rpartition("/")[2] for path in paths)}
    for claim in claims:
        if claim not in known:
            message = _("the run {run} measured no claim called {name}").format(run=name, name=claim)
            raise UsageError("show.unknown-claim", message, hint=_meant(claim, known))
    if claims:
        promises = {digest: one for digest, one in promises.items() if named(one.commitment.claim, claims)}
    return _Shelf(opened, state, run, promises)


def _meant(name: str, known: Iterable[str]) -> str | None:
    meant = nearest(name, known)
    return _("did you mean {name}?").format(name=meant) if meant else None


# ---- the runs, and the claims of one


def _run_json(state: State, run: Run) -> dict[str, Any]:
    started, finished = run.started, run.finished
    return {
        "run": started.run,
        "system": started.system,
        "system_version": _version(state, run),
        "began": run.at,
        "ended": run.finished_at,
        "end": finished.end if finished else None,
        "calls": finished.calls if finished else None,
        "details": finished.details if finished else {},
        "commitments": list(started.commitments),
    }


def _version(state: State, run: Run) -> int | None:
    versions = state.versions.get(run.started.system, [])
    return next((one.number for one in versions if one.fingerprint == run.started.fingerprint), None)


def _runs(state: State, *, as_json: bool) -> None:
    if as_json:
        put_json({"version": 1, "runs": [_run_json(state, run) for run in state.runs.values()]})
    elif not state.runs:
        click.echo(_("Nothing was measured yet. Next: {command}").format(command="shinrai check"))
    else:
        from shinrai.cli.words import runs_table  # noqa: PLC0415 - loaded only when the verb runs

        runs_table([(run, _version(state, run)) for run in state.runs.values()])


def _claims(shelf: _Shelf, *, as_json: bool) -> None:
    from shinrai.report.family import read_together  # noqa: PLC0415 - loaded only when the verb runs

    judged = (one.verdict for found in shelf.state.judgements.values() for one in found)
    verdicts = {verdict.commitment: verdict for verdict in judged if verdict.run == shelf.name}
    claims = [(promise.commitment, verdicts.get(digest)) for digest, promise in shelf.promises.items()]
    family = read_together(claims)
    if as_json:
        found = [
            {
                "claim": commitment.claim,
                "title": commitment.title.to_json(),
                "commitment": digest,
                "verdict": {name: value for name, value in verdict.to_json().items() if name != "trace"}
                if verdict
                else None,
            }
            for digest, (commitment, verdict) in zip(shelf.promises, claims, strict=True)
        ]
        whole = family.to_json() if family else None
        put_json({"version": 1, **_run_json(shelf.state, shelf.run), "claims": found, "together": whole})
        return
    from shinrai.cli.words import family_words, run_table, runs_table  # noqa: PLC0415 - loaded only when the verb runs

    runs_table([(shelf.run, _version(shelf.state, shelf.run))])
    click.echo()
    run_table(claims)
    if family is not None:
        click.echo(family_words(family))
    if shelf.run.finished is None:
        note(_("The run has not ended; its trials can be seen when it has."))
    elif claims:
        note(_("next      {command}").format(command=f"shinrai show {shelf.name} --next-failure"))


# ---- trials


def _trials(shelf: _Shelf, trials: Iterator[Trial], *, as_json: bool) -> None:
    """Show trials as they are read."""
    if as_json:
        shown = [
            {"claim": shelf.claim(trial), **_trial_json(trial, calls)} for trial, calls in shelf.with_calls(trials)
        ]
        put_json({"version": 1, "run": shelf.name, "trials": shown})
        return
    from shinrai.cli.pages import trial_page  # noqa: PLC0415 - loaded only when the verb runs

    pages = (trial_page(trial, shelf.commitment(trial), calls) for trial, calls in shelf.with_calls(trials))
    if not _print(pages):
        click.echo(_("No trial of this run is like that."))


def _trial_json(trial: Trial, calls: list[Line]) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415 - loaded only when the verb runs

    return {**msgspec.to_builtins(trial), "calls": [msgspec.to_builtins(call) for call in calls]}


def _print(pages: Iterator[str]) -> bool:
    """Print: through the person's pager where a terminal is to show several pages, plainly elsewhere.

    Returns
    -------
    bool
        Whether there was anything.
    """
    beginning = list(islice(pages, 2))
    if len(beginning) > 1 and sys.stdout.isatty():
        click.echo_via_pager(chain(beginning, pages))
        return True
    for page in chain(beginning, pages):
        click.echo(page, nl=False)
    return bool(beginning)


def _next_failure(shelf: _Shelf, wanted: _Wanted, *, as_json: bool) -> None:
    """Show the first trial that did not pass; where an item was named, the first one after it, of whatever claim.

    Raises
    ------
    UsageError
        If the item was not tried.
    """
    whole = _shelf(shelf.opened, shelf.name, ())
    trials = whole.trials()
    if wanted.item is None:
        trials = (trial for trial in trials if trial.commitment in shelf.promises)
    elif not any(trial.item == wanted.item and trial.commitment in shelf.promises for trial in trials):
        message = _("no trial of the run {run} was made from the item {name}")
        raise UsageError("show.unknown-item", message.format(run=shelf.name, name=wanted.item))
    outcomes = wanted.outcomes or frozenset(get_args(Outcome)) - {"pass"}
    found = next((trial for trial in trials if trial.outcome in outcomes), None)
    _trials(whole, iter([found] if found else []), as_json=as_json)
    if found is not None and not as_json:
        claim = whole.claim(found).rpartition("/")[2]
        again = f"shinrai show {shelf.name} --claim {claim} --item {shlex.quote(found.item)} --next-failure"
        note(_("next      {command}").format(command=again))


# ---- for another tool


def _as_inspect(shelf: _Shelf, out: Path, *, as_json: bool) -> None:
    """Write the whole run, whatever was asked for, as a log of Inspect."""
    from shinrai.report.inspect_log import write_inspect_log  # noqa: PLC0415 - loaded only when the verb runs

    count = write_inspect_log(shelf.opened.root, shelf.state, shelf.run, out)
    if as_json:
        put_json({"version": 1, "run": shelf.name, "file": str(out), "samples": count})
        return
    click.echo(_("wrote {count} samples to {file}").format(count=count, file=out))
    note(_("next      {command}").format(command=f"inspect view start --log-dir {shlex.quote(str(out.parent))}"))


# ---- two runs


def _against(shelf: _Shelf, name: str, wanted: _Wanted, *, as_json: bool) -> None:
    """Show the items that ended differently in an earlier run."""
    from shinrai.report.changes import compare  # noqa: PLC0415 - loaded only when the verb runs

    earlier = _shelf(shelf.opened, name, ())
    claims = {promise.commitment.claim for promise in shelf.promises.values()}
    compared = compare(shelf.opened.root, shelf.state, earlier.run, shelf.run, claims)
    changes = [one for one in compared.changes if wanted(one.after)]
    before, after = earlier.calls(one.before for one in changes), shelf.calls(one.after for one in changes)
    counts = {
        "fixed": compared.count("fixed"),
        "broken": compared.count("broken"),
        "other": compared.count("other"),
        "same": compared.same,
        "only_before": compared.only_before,
        "only_after": compared.only_after,
    }
    if as_json:
        shown = [_change_json(one, lines_of(one.before, before), lines_of(one.after, after)) for one in changes]
        put_json({"version": 1, "run": shelf.name, "against": name, **counts, "changes": shown})
        return
    from shinrai.cli.pages import change_page  # noqa: PLC0415 - loaded only when the verb runs

    said = _("{fixed} now pass, {broken} no longer pass, {other} end otherwise, {same} end alike")
    click.echo(said.format(**counts))
    if compared.only_before or compared.only_after:
        alone = _("tried only in {before}: {only_before}; only in {after}: {only_after}")
        click.echo(alone.format(before=name, after=shelf.name, **counts))
    click.echo()
    _print(
        change_page(
            *(one, shelf.commitment(one.after)),
            *(lines_of(one.before, before), lines_of(one.after, after)),
            (name, shelf.name),
        )
        for one in changes
    )


def _change_json(change: Change, before: list[Line], after: list[Line]) -> dict[str, Any]:
    return {
        "claim": change.claim,
        "item": change.after.item,
        "change": change.kind,
        "before": _trial_json(change.before, before),
        "after": _trial_json(change.after, after),
    }
