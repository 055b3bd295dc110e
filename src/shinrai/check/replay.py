"""Finished verdicts made again from what their runs kept: nothing is asked, nothing is written.

Two things are made again, each from what lies below it:

- from the *trials* of a run, in committed order, the verdict: counts, test, bounds and evidence;
- from its *calls*, each trial: the item at its place in the committed order, the requests that it needs, the score of
  their replies. This needs the data set and the scorer as they were promised; where one has changed since, the
  trials are taken as they are, and that is said.

Claims on imported rows are made again from the kept copy. Documents and observed values rest on no trials: there is
nothing to compute.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from shinrai.check.archive import read_calls, read_trials, run_files
from shinrai.check.claims import Claim, group_of, outcome_of
from shinrai.check.correcting import verdict_from_labels
from shinrai.check.following import follows, further_asks
from shinrai.check.imported import judge_imported
from shinrai.check.journal import Journal
from shinrai.check.outcomes import is_imported
from shinrai.check.repeating import NOT_DRIVEN, driven
from shinrai.check.scorers import Context, ScoreFunction, score_of
from shinrai.check.trials import Ask, NotAskable, asks_for
from shinrai.i18n import _
from shinrai.ledger import Judgement, Ledger, Promise, Run, State
from shinrai.records import (
    DIALOGUE_VERSION,
    SCORER_VERSIONS,
    Commitment,
    Digest,
    Item,
    Json,
    Placed,
    PluginScorer,
    Score,
    Side,
    SystemVersion,
    Trial,
    Verdict,
    digest_file,
)
from shinrai.source import SpooledItems, spool_items
from shinrai.workspace import committed_file

__all__ = ["Difference", "Replay", "replay"]

_CLOSE = 1e-9
"""Relative difference of two numbers that still are the same one: processors round the last digits differently."""

_SHOWN = 60

_FIELDS = (
    *("status", "reason", "borderline", "counts", "groups", "estimate", "lower", "upper", "level"),
    *("evidence_met", "evidence_violated", "trace"),
)
"""Of a verdict, what follows from the outcomes of its trials alone."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not come out as it was recorded.

    Parameters
    ----------
    seq : int
        Entry of the ledger with the verdict.
    key : str
        ``claim@system``.
    run : str, optional
        That it was measured in; None for imported rows.
    what : str
        Field of the verdict, such as ``upper``, or of a trial, such as ``trial 17: outcome``.
    recorded, again : JSON value
        What stands there, and what comes out.
    """

    seq: int
    key: str
    run: str | None
    what: str
    recorded: Json
    again: Json

    def in_words(self) -> str:
        """Say what differs, for a person."""
        return _("entry {seq}, the verdict on {claim}: {what} is {recorded} there, and comes out as {again}").format(
            seq=self.seq, claim=self.key, what=self.what, recorded=_shown(self.recorded), again=_shown(self.again)
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """What was made again.

    Parameters
    ----------
    verdicts : int
        Verdicts that were made again from their trials.
    trials : int
        Trials that they were made from.
    rescored : int
        Of these, made again from their calls.
    without_trials : int
        Verdicts that rest on no trials: documents, observed values, targets that could not be opened.
    first : Difference, optional
        None when everything comes out as it was recorded. What comes after it was not looked at.
    """

    verdicts: int
    trials: int
    rescored: int
    without_trials: int
    first: Difference | None

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values, with ``ok`` beside the fields."""
        return {"ok": self.first is None, **asdict(self)}

    def summary(self) -> str:
        """Say in words what was made again, and what differs."""
        if self.first is not None:
            return self.first.in_words()
        lines = [
            _("{verdicts} verdicts come out again from {trials} trials, {rescored} of them scored again").format(
                verdicts=self.verdicts, trials=self.trials, rescored=self.rescored
            )
        ]
        if self.rescored < self.trials:
            lines.append(
                _(
                    "the other trials were taken as they are: their data or their scorer has changed since, or it is "
                    "a plug-in, which is not run for this"
                )
            )
        if self.without_trials:
            lines.append(_("{count} verdicts rest on no trials").format(count=self.without_trials))
        return "\n".join(lines)


def replay(root: Path, ledger: Ledger) -> Replay:
    """Make every verdict again that rests on trials, in the order of the ledger, up to the first that differs.

    Parameters
    ----------
    root : Path
        Of the workspace.
    ledger : Ledger
        Verified before: that run files are what it says is not looked at here.

    Returns
    -------
    Replay

    Raises
    ------
    TamperedError
        If a file of a run is gone, or is not what a run wrote.
    """
    state = ledger.state()
    first = None
    with _Player(root, state) as player:
        judgements = (one for found in state.judgements.values() for one in found)
        for judgement in sorted(judgements, key=lambda one: one.seq):
            found = player.play(judgement)
            if found is not None:
                first = Difference(judgement.seq, judgement.verdict.key, judgement.verdict.run, *found)
                break
    return Replay(player.verdicts, player.trials, player.rescored, player.without_trials, first)


class _Found(NamedTuple):
    """What differs; see `Difference`."""

    what: str
    recorded: Json
    again: Json


_Rescore = Callable[[Trial], Trial]


class _Player(ExitStack):
    """Verdicts while they are made again. Holds the calls of one run at a time, and the data sets that were read."""

    def __init__(self, root: Path, state: State) -> None:
        super().__init__()
        self._root = root
        self._state = state
        self._promises = {one.digest: one for found in state.history.values() for one in found}
        self._items: dict[Path, SpooledItems] = {}
        self._digests: dict[Path, Digest] = {}
        self._of_run = ExitStack()
        self._run_at_hand: str | None = None
        self._journal: Journal | None = None
        self._driven = NOT_DRIVEN
        self.push(self._of_run)
        self.verdicts = self.trials = self.rescored = self.without_trials = 0

    def play(self, judgement: Judgement) -> _Found | None:
        """Make a verdict again, and give the first thing that differs."""
        verdict, promise = judgement.verdict, self._promises[judgement.verdict.commitment]
        if is_imported(promise.commitment) and verdict.evidence:
            return self._from_import(verdict, promise)
        run = self._state.runs.get(verdict.run or "")
        if promise.commitment.label_plan is not None and verdict.evidence:
            return self._from_labels(verdict, promise)
        if run is not None and run.finished is not None:
            return self._from_run(verdict, promise, run)
        self.without_trials += 1
        return None

    # ---- trials

    def _from_run(self, verdict: Verdict, promise: Promise, run: Run) -> _Found | None:
        commitment = promise.commitment
        most = min(commitment.budget, commitment.data.items if commitment.data else 0)
        nowhere = Placed(Item("", {}))
        claim = Claim(commitment, promise.digest, (nowhere,) * most, kind=None, score=_not_scored, run=run.started.run)
        self._driven = NOT_DRIVEN
        rescore = self._rescorer(commitment, run)
        paths = run_files(self._root, run.finished, "trials") if run.finished else []
        for number, trial in enumerate(read_trials(paths, commitment=promise.digest)):
            if number >= most:
                return _Found("trials", verdict.counts.total, f"> {most}")
            found = self._trial(number, trial, rescore)
            if found is not None:
                return found
            side = _side(commitment, trial)
            if commitment.groups is not None and side is None:
                return _Found(f"trial {number}: group", trial.group, [commitment.groups.a, commitment.groups.b])
            claim.recount(trial.outcome, side)
        self.verdicts += 1
        again = claim.conclude(None if verdict.reason in {"decided", "labels-needed"} else verdict.reason)
        told = verdict.details.get("driver")
        heard = self._driven._asdict()
        if rescore is not None and told is not None and any(told[name] != heard.get(name) for name in told):
            return _Found("details.driver", told, heard)
        return _differ(verdict, again)

    def _trial(self, number: int, trial: Trial, rescore: _Rescore | None) -> _Found | None:
        self.trials += 1
        if trial.position != number:
            return _Found(f"trial {number}: position", trial.position, number)
        if rescore is None:
            return None
        again = rescore(trial)
        for name in ("item", "calls", "group", "outcome", "detail"):
            recorded, found = getattr(trial, name), getattr(again, name)
            if recorded != found:
                return _Found(f"trial {number}: {name}", _plain(recorded), _plain(found))
        self.rescored += 1
        return None

    # ---- calls

    def _rescorer(self, commitment: Commitment, run: Run) -> _Rescore | None:
        """Give what makes a trial again from its calls; None where data or scorer are not what was promised."""
        version = self._version(commitment)
        data, use = commitment.data, commitment.scorer
        if version is None or data is None or use is None or SCORER_VERSIONS.get(use.use.id) != use.version:
            return None
        if commitment.dialogue is not None and commitment.dialogue.version != DIALOGUE_VERSION:
            return None
        if isinstance(use.use, PluginScorer):  # whoever verifies does not run the code of whoever measured
            return None
        path = committed_file(self._root, data)
        if self._digest(path) != data.digest:
            return None
        order = commitment.draw(self._items_of(path, data.use.file or path.name))
        kind = commitment.trial_kind(version.system.kind)
        asks_of = asks_for(kind, commitment.variants, commitment.dialogue)
        score = score_of(commitment, Context(secrets=version.system.secrets))
        journal = self._calls_of(run)

        def rescored(trial: Trial) -> Trial:
            placed = order[trial.position]
            try:
                asks: tuple[Ask, ...] = asks_of(placed.item)
            except NotAskable:
                asks, found = (), Score("invalid", trial.detail)
            else:
                asks = _with_followers(commitment, score, placed.item, asks, journal)
                kept = [ask for ask in asks if journal.number(ask.key) is not None]
                whole, asks = len(kept) == len(asks), tuple(kept)
                calls = [journal.read(ask.key) for ask in asks]
                found = outcome_of(commitment, score, placed.item, asks, calls) if whole else Score("error")
                self._driven = self._driven.plus(driven(commitment, placed.item, asks, calls))
            keys = tuple([ask.key for ask in asks])
            group = group_of(commitment, placed.side)
            return Trial(trial.position, placed.item.id, keys, trial.commitment, found.outcome, found.detail, group)

        return rescored

    def _version(self, commitment: Commitment) -> SystemVersion | None:
        versions = self._state.versions.get(commitment.system, [])
        return next((one for one in versions if one.fingerprint == commitment.fingerprint), None)

    def _digest(self, path: Path) -> Digest | None:
        if path not in self._digests:
            if not path.is_file():
                return None
            self._digests[path] = digest_file(path)
        return self._digests[path]

    def _items_of(self, path: Path, shown_as: str) -> SpooledItems:
        if path not in self._items:
            self._items[path] = spool_items(path, shown_as=shown_as)
            self.callback(self._items[path].close)
        return self._items[path]

    def _calls_of(self, run: Run) -> Journal:
        """Make the archived calls of a run a journal again, outside the workspace."""
        if self._journal is None or self._run_at_hand != run.started.run:
            self._of_run.close()
            folder = Path(self._of_run.enter_context(TemporaryDirectory(prefix="shinrai-")))
            path = folder / "calls.jsonl"
            encode = msgspec.json.Encoder().encode
            with path.open("wb") as file:
                for line in read_calls(run_files(self._root, run.finished, "calls") if run.finished else []):
                    file.write(encode(line) + b"\n")
            self._journal = Journal(path)
            self._of_run.callback(self._journal.close)
            self._run_at_hand = run.started.run
        return self._journal

    # ---- labels

    def _from_labels(self, verdict: Verdict, promise: Promise) -> _Found | None:
        """Make a verdict again from the labels that it names, and trials of which its run made a verdict before."""
        again = verdict_from_labels(self._root, self._state, promise, only=verdict.evidence)
        self.verdicts += 1
        if again is None:
            return _Found("evidence", list(verdict.evidence), None)
        return _differ(verdict, again)

    # ---- imported rows

    def _from_import(self, verdict: Verdict, promise: Promise) -> _Found | None:
        use = promise.commitment.scorer
        plugin = use is not None and isinstance(use.use, PluginScorer)
        rule = self._recorded(verdict, promise) if plugin else None
        if plugin and rule is None:
            self.without_trials += 1
            return None
        self.verdicts += 1
        self.trials += verdict.counts.total
        self.rescored += 0 if plugin else verdict.counts.total
        again = judge_imported(promise, self._state, self._root, evidence=verdict.evidence, rule=rule)
        return _differ(verdict, again)

    def _recorded(self, verdict: Verdict, promise: Promise) -> ScoreFunction | None:
        """Give what stands where a plug-in stood: the scores of the archived trials; None where none were archived."""
        run = self._state.runs.get(verdict.run or "")
        if run is None or run.finished is None:
            return None
        paths = run_files(self._root, run.finished, "trials")
        found = {one.item: Score(one.outcome, one.detail) for one in read_trials(paths, commitment=promise.digest)}
        return lambda item, _requests, _calls: found[item.id]


def _with_followers(
    commitment: Commitment, score: ScoreFunction, item: Item, asks: tuple[Ask, ...], journal: Journal
) -> tuple[Ask, ...]:
    """Add the calls that followed from the first ones, as far as they finished."""
    while follows(commitment) and all(journal.number(ask.key) is not None for ask in asks):
        more = further_asks(commitment, score, item, asks, [journal.read(ask.key) for ask in asks])
        if not more:
            break
        asks += more
    return asks


def _not_scored(_item: Item, _requests: Sequence[Json], _calls: Sequence[object]) -> Score:
    """Stand where a scorer stands: trials that are counted again bring their outcome."""
    return Score("invalid")


def _side(commitment: Commitment, trial: Trial) -> Side | None:
    groups = commitment.groups
    sides: dict[str | None, Side] = {} if groups is None else {groups.a: "a", groups.b: "b"}
    return sides.get(trial.group)


def _differ(verdict: Verdict, again: Verdict) -> _Found | None:
    one, other = (found.model_dump(mode="json", include={*_FIELDS}) for found in (verdict, again))
    one["left_out"], other["left_out"] = verdict.details.get("left_out"), again.details.get("left_out")
    return next((found for name in one if (found := _first(name, one[name], other[name]))), None)


def _first(name: str, recorded: Json, again: Json) -> _Found | None:
    """Find the first place in which two values differ, numbers aside that differ by rounding."""
    if isinstance(recorded, dict) and isinstance(again, dict) and recorded.keys() == again.keys():
        parts = ((f"{name}.{key}", recorded[key], again[key]) for key in recorded)
    elif isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        parts = ((f"{name}.{number}", *pair) for number, pair in enumerate(zip(recorded, again, strict=True)))
    elif _same(recorded, again):
        return None
    else:
        return _Found(name, recorded, again)
    return next((found for part in parts if (found := _first(*part))), None)


def _same(recorded: Json, again: Json) -> bool:
    if isinstance(recorded, float) and isinstance(again, float):
        return math.isclose(recorded, again, rel_tol=_CLOSE, abs_tol=_CLOSE)
    return bool(recorded == again)


def _plain(value: object) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
