"""``shinrai show``: browse the trials of a run, and compare two runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from shinrai.cli.session import json_option, note, put_json, session
from shinrai.cli.shelf import Shelf, Wanted, find_shelf, print_pages, trial_json
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Outcome, Trial

if TYPE_CHECKING:
    from shinrai.ledger import Run, State

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
        shelf = find_shelf(opened, run, asked["claims"])
        wanted = Wanted(frozenset(asked["outcomes"]), asked["item"])
        if asked["as_inspect"]:
            _as_inspect(shelf, asked["as_inspect"], as_json=as_json)
        elif asked["against"]:
            from shinrai.cli.show_against import show_against  # noqa: PLC0415 - loaded only when it is asked for

            show_against(shelf, find_shelf(opened, asked["against"], ()), wanted, as_json=as_json)
        elif asked["next_failure"]:
            _next_failure(shelf, wanted, as_json=as_json)
        elif asked["claims"] or wanted.outcomes or wanted.item:
            _trials(shelf, filter(wanted, shelf.trials()), as_json=as_json)
        else:
            _claims(shelf, as_json=as_json)


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


def _claims(shelf: Shelf, *, as_json: bool) -> None:
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


def _trials(shelf: Shelf, trials: Iterator[Trial], *, as_json: bool) -> None:
    """Show trials as they are read."""
    if as_json:
        shown = [{"claim": shelf.claim(trial), **trial_json(trial, calls)} for trial, calls in shelf.with_calls(trials)]
        put_json({"version": 1, "run": shelf.name, "trials": shown})
        return
    from shinrai.cli.pages import trial_page  # noqa: PLC0415 - loaded only when the verb runs

    pages = (trial_page(trial, shelf.commitment(trial), calls) for trial, calls in shelf.with_calls(trials))
    if not print_pages(pages):
        click.echo(_("No trial of this run is like that."))


def _next_failure(shelf: Shelf, wanted: Wanted, *, as_json: bool) -> None:
    """Show the first trial that did not pass; where an item was named, the first one after it, of whatever claim.

    Raises
    ------
    UsageError
        If the item was not tried.
    """
    whole = find_shelf(shelf.opened, shelf.name, ())
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


def _as_inspect(shelf: Shelf, out: Path, *, as_json: bool) -> None:
    """Write the whole run, whatever was asked for, as a log of Inspect."""
    from shinrai.report.inspect_log import write_inspect_log  # noqa: PLC0415 - loaded only when the verb runs

    count = write_inspect_log(shelf.opened.root, shelf.state, shelf.run, out)
    if as_json:
        put_json({"version": 1, "run": shelf.name, "file": str(out), "samples": count})
        return
    click.echo(_("wrote {count} samples to {file}").format(count=count, file=out))
    note(_("next      {command}").format(command=f"inspect view start --log-dir {shlex.quote(str(out.parent))}"))
