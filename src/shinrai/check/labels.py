"""Labels: what people say about a few of the replies that a judge scored, so that the judge's errors cancel.

Which replies a person is asked about was fixed before any of them came: the trials of a run, in committed order, fall
into blocks, and the first of each block is labelled. So every reply had the same known chance, and the test of blocks
(`shinrai.stats.JudgedRateTest`) is valid however bad the judge is. Labels count in the order of the blocks: the test
goes as far as every block before has its label, and stops at its decision.

Two people may label the same replies. Where they contradict each other, or one cannot tell, the label is unknown, and
unknown counts as missing always does: as a failure where the claim could be met, as a pass where it could be broken.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import msgspec

from shinrai.check.archive import read_calls, read_trials, run_files
from shinrai.check.choosing import runs_of
from shinrai.check.trials import helper_of, said
from shinrai.errors import TamperedError, UsageError, nearest
from shinrai.i18n import _
from shinrai.ledger import Entry, Promise, State
from shinrai.records import Call, Commitment, Digest, Judge, LabelPlan, Labels, Outcome, Role, Trial
from shinrai.stats import Agreement, cohen_kappa
from shinrai.workspace import kept_copy

__all__ = ["COLUMNS", "Answer", "Label", "Reply", "Sheet", "agreement", "read_labels", "sheet_of"]

Label: TypeAlias = Literal["pass", "fail", "unclear"]
Answer: TypeAlias = tuple[float, float]
"""Whether a reply fails, as (low, high): (0, 0) passes, (1, 1) fails, (0, 1) unknown."""

PASSES, FAILS, UNKNOWN = (0.0, 0.0), (1.0, 1.0), (0.0, 1.0)
COLUMNS: Final = ("id", "label")
"""Columns that a file of labels needs; others are for whoever fills it in."""

_NAMED = 5
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that a person may be asked about.

    Parameters
    ----------
    id : str
        12 hexadecimal digits of a SHA-256 over the promise, the trial and the reply itself.
    position : int
        Of its trial in committed order, from 0.
    item : str
        What the trial was made of.
    exchanges : tuple
        Pairs of what the system was asked and what it answered.
    opinion : Outcome
        The judge's; not shown to whoever labels.
    """

    id: str
    position: int
    item: str
    exchanges: tuple[tuple[Any, Any], ...]
    opinion: Outcome


class Sheet:
    """All replies of a promise that has been measured, and which of them are to be labelled.

    Parameters
    ----------
    commitment : Commitment
        With a label plan.
    digest : str
        Its name.
    trials : sequence of Trial
        In committed order.
    calls : mapping
        Key → call.
    """

    def __init__(self, commitment: Commitment, digest: str, trials: Sequence[Trial], calls: Mapping[str, Call]) -> None:
        use = commitment.scorer.use if commitment.scorer else None
        plan = commitment.label_plan
        if plan is None or not isinstance(use, Judge):
            raise ValueError(f"{commitment.key} has no labels")
        self.judge: Judge = use
        self.commitment = commitment
        self.digest = digest
        self.plan: LabelPlan = plan
        self.trials = trials
        self._calls = calls

    @cached_property
    def drawn(self) -> tuple[Reply, ...]:
        """The first reply of each whole block, in committed order; blocks whose first trial has none are left out."""
        every = self.plan.every
        heads = (self.trials[start] for start in range(0, len(self.trials) - every + 1, every))
        return tuple(self._reply(trial) for trial in heads if self.has_reply(trial))

    @cached_property
    def flagged(self) -> tuple[Reply, ...]:
        """Every reply that the judge fails, in committed order; none where flags were not promised to be confirmed."""
        if not self.plan.confirm_flags:
            return ()
        return tuple(self._reply(trial) for trial in self.trials if trial.outcome == "fail")

    @cached_property
    def known(self) -> dict[str, Reply]:
        """Id → reply, for all that may be labelled."""
        return {reply.id: reply for reply in (*self.drawn, *self.flagged)}

    @staticmethod
    def has_reply(trial: Trial) -> bool:
        """Whether there is something that a person could judge. What the judge could not read, a person may."""
        return trial.outcome in {"pass", "fail", "invalid"}

    def _reply(self, trial: Trial) -> Reply:
        own = [self._calls[key] for key in trial.calls if helper_of(_request(self._calls[key])) is None]
        exchanges = tuple((said(_request(call)), call.reply) for call in own)
        mark = hashlib.sha256(_encode((self.digest, trial.position, trial.item, exchanges))).hexdigest()[:12]
        return Reply(mark, trial.position, trial.item, exchanges, trial.outcome)


def _request(call: Call) -> Any:  # noqa: ANN401 - a request is any JSON value
    return getattr(call, "request", None)


def sheet_of(root: Path, state: State, promise: Promise) -> Sheet | None:
    """Read the replies of a promise whose judge is corrected by labels.

    Parameters
    ----------
    root : Path
        Of the workspace.
    state : State
        Of its ledger.
    promise : Promise
        In force.

    Returns
    -------
    Sheet or None
        None for a promise without labels, and until all its trials have been measured.

    Raises
    ------
    TamperedError
        If a run file is gone or not what a run wrote.
    """
    commitment = promise.commitment
    ended = next((run for run in reversed(runs_of(state, promise)) if run.finished is not None), None)
    if commitment.label_plan is None or ended is None or ended.finished is None:
        return None
    trials = list(read_trials(run_files(root, ended.finished, "trials"), commitment=promise.digest))
    if len(trials) < commitment.budget:
        return None
    calls = {line.key: line for line in read_calls(run_files(root, ended.finished, "calls"))}
    return Sheet(commitment, promise.digest, trials, calls)


def read_labels(content: bytes, known: Collection[str], *, shown_as: str) -> dict[str, Label]:
    """Read a file of labels.

    Parameters
    ----------
    content : bytes
        CSV with a header: ``id`` and ``label`` (pass, fail or unclear; empty where nothing was said yet), in any
        order and among others; separated by comma, semicolon or tab; UTF-8, or the encoding that spreadsheets in
        Japan save (CP932).
    known : collection of str
        Ids of the replies that may be labelled.
    shown_as : str
        Name of the file in messages.

    Returns
    -------
    dict
        Id → label.

    Raises
    ------
    UsageError
        If a column is missing, a label is of no kind or is there twice with two answers, a reply does not exist, or
        nothing is labelled. Nothing of the file is taken then.
    """
    rows = list(_rows(content, shown_as))
    strangers = [f"{line}: {mark}" for line, mark, _label in rows if mark not in known]
    if strangers:
        raise UsageError(
            "labels.unknown-reply",
            _("{file} labels replies that do not exist (line: id): {rows}").format(
                file=shown_as, rows=_some(strangers)
            ),
            hint=_("export the replies anew: shinrai check label --export FILE"),
        )
    found: dict[str, Label] = {}
    for line, mark, label in rows:
        if found.setdefault(mark, label) != label:
            raise UsageError(
                "labels.twice",
                _("{file}, line {line}: the reply {id} already has another label").format(
                    file=shown_as, line=line, id=mark
                ),
            )
    if not found:
        raise UsageError("labels.none", _("{file} holds no label").format(file=shown_as))
    return found


def _rows(content: bytes, shown_as: str) -> Iterator[tuple[int, str, Label]]:
    """Give line, id and label of each row that has one.

    Raises
    ------
    UsageError
        As `read_labels`.
    """
    text = _decoded(content, shown_as)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise UsageError(
            "labels.no-column",
            _("{file} has no column {names}").format(file=shown_as, names=", ".join(lacking)),
            hint=_("the first line names the columns: id and label"),
        )
    wrong = []
    for row in reader:
        mark, said = (row["id"] or "").strip(), (row["label"] or "").strip().casefold()
        if said in get_args(Label):
            yield reader.line_num, mark, said  # type: ignore[misc]  # one of the three, as was just seen
        elif said:
            wrong.append(f"{reader.line_num}: {said!r}")
    if wrong:
        close = nearest(wrong[0].partition(": ")[2].strip("'"), get_args(Label))
        raise UsageError(
            "labels.no-label",
            _("{file} has labels that are neither pass, fail nor unclear (line: label): {rows}").format(
                file=shown_as, rows=_some(wrong)
            ),
            hint=_("did you mean {name}?").format(name=close) if close else None,
        )


def _decoded(content: bytes, shown_as: str) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError("labels.not-text", _("{file} is not a text in UTF-8 or CP932").format(file=shown_as))


def _some(rows: Sequence[str]) -> str:
    more = len(rows) - _NAMED
    return ", ".join(rows[:_NAMED]) + (" " + _("and {count} more").format(count=more) if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Labelled:
    """What people said about the replies of a sheet.

    Parameters
    ----------
    by : mapping
        Labeller → id → label.
    entries : tuple of Entry
        Where it stands in the ledger.
    """

    by: Mapping[Role, Mapping[str, Label]]
    entries: tuple[Entry, ...] = ()

    def answer(self, mark: str) -> Answer | None:
        """Give what is known of a reply; None where nobody has labelled it."""
        said = {labels[mark] for labels in self.by.values() if mark in labels}
        if not said:
            return None
        return PASSES if said == {"pass"} else FAILS if said == {"fail"} else UNKNOWN

    @property
    def count(self) -> int:
        """Labels given, by all together."""
        return sum(len(labels) for labels in self.by.values())


def labelled(root: Path, state: State, sheet: Sheet, only: Collection[Digest] | None = None) -> Labelled:
    """Gather the labels of a sheet from the ledger; of one labeller, the later label of a reply counts.

    Raises
    ------
    TamperedError
        If a kept file of labels is gone, was changed, or labels what is not there.
    """
    found: dict[Role, dict[str, Label]] = {}
    entries = []
    for entry, evidence in state.evidence:
        if not isinstance(evidence, Labels) or evidence.commitment != sheet.digest:
            continue
        if only is not None and entry.hash not in only:
            continue
        path = kept_copy(root, evidence)
        try:
            labels = read_labels(path.read_bytes(), sheet.known, shown_as=evidence.name)
        except UsageError as error:
            message = _("the kept labels {file} do not fit the replies of the run").format(file=evidence.file)
            raise TamperedError("labels.do-not-fit", message, hint=error.message) from error
        found.setdefault(evidence.by, {}).update(labels)
        entries.append(entry)
    return Labelled(found, tuple(entries))


def agreement(labels: Labelled) -> Agreement | None:
    """Compare the two people who labelled most; None where fewer than two did.

    Replies of which one of them was unclear are left out.
    """
    busiest = sorted(labels.by, key=lambda name: (-len(labels.by[name]), name))[:2]
    if len(busiest) < 2:
        return None
    first, second = (labels.by[name] for name in busiest)
    pairs = [(first[mark], second[mark]) for mark in first if mark in second]
    return cohen_kappa(*(pairs.count(pair) for pair in _PAIRS))


_PAIRS: Final[Iterable[tuple[Label, Label]]] = (("pass", "pass"), ("pass", "fail"), ("fail", "pass"), ("fail", "fail"))
