"""Trials that happened elsewhere: from the kept copy of an import to trials, a verdict, and an archived run.

Two ways to use an import:

- ``imported`` alone: the promise pins the import, so its data are older than the promise. All of its rows are looked
  at once, by a fixed-sample test, and the verdict is marked retrospective.
- ``file`` with ``imported``: the promise pins the questions, and the replies are imported after it. Where the run says
  that it began after the promise was written down, the committed order came first, and the replies are read one after
  the other in that order, as our own would be. Otherwise the fixed-sample test speaks.

Rows of one sample (epochs, repetitions, generations) are one trial: it fails if any of them fails.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from shinrai.check.claims import Claim, Keep
from shinrai.check.fixed_sample import fixed_gauge_for
from shinrai.check.gauges import gauge_for
from shinrai.check.journal import Line
from shinrai.check.scorers import Context, ScoreFunction, scorer
from shinrai.check.scorers.samples import worst_of
from shinrai.check.trials import Ask, call_key
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.ledger import Entry, Promise, State
from shinrai.records import Column, Commitment, Import, Item, Placed, Score, Text, Verdict
from shinrai.source import SpooledItems, spool_items
from shinrai.workspace import data_file, kept_copy

__all__ = ["imports_of", "judge_imported"]

NOT_IN_THE_LOG: Final = "not-in-the-import"


def imports_of(promise: Promise, state: State) -> list[tuple[Entry, Import]]:
    """Find the imports that a promise is decided from, in the order of the ledger.

    Parameters
    ----------
    promise : Promise
        On imported data.
    state : State
        Of the ledger.

    Returns
    -------
    list of tuple
        Of those about the system as it was promised, the newest with the pinned digest; or, where the promise pins the
        questions, all that came after it.
    """
    commitment = promise.commitment
    data = commitment.data
    if data is None:
        return []
    own = [
        (entry, one)
        for entry, one in state.evidence
        if isinstance(one, Import)
        and one.format == data.use.imported
        and one.is_about(commitment.system, commitment.fingerprint)
    ]
    if data.use.file is not None:
        return [(entry, one) for entry, one in own if entry.seq > promise.seq]
    return [(entry, one) for entry, one in own if one.file_digest == data.digest][-1:]


@dataclass(slots=True)
class _Trial:
    """One trial: an item in its place, and the rows that answer it."""

    placed: Placed
    rows: list[Item] = field(default_factory=list)


def judge_imported(  # noqa: PLR0913 - what is looked at, what is kept of it, and what scores it
    promise: Promise,
    state: State,
    root: Path,
    *,
    evidence: Collection[str] | None = None,
    keep: Keep | None = None,
    keep_line: Callable[[Line], None] | None = None,
    rule: ScoreFunction | None = None,
) -> Verdict:
    """Count the trials of the imports that a promise is decided from.

    Parameters
    ----------
    promise : Promise
        On imported data.
    state : State
        Of the ledger.
    root : Path
        Of the workspace.
    evidence : collection of str, optional
        Hashes of the entries with the imports that are looked at; all of them where it is not given.
    keep : callable, optional
        Given each trial when it is counted.
    keep_line : callable, optional
        Given each reply that a trial was scored from.
    rule : callable, optional
        Scores the trials in place of the scorer that was promised, which is not built then.

    Returns
    -------
    Verdict

    Raises
    ------
    TamperedError
        If a kept copy is gone or changed.
    PluginError
        If the scorer is a plug-in that fails to load.
    UsageError
        If the promise names no data, or an import answers another question than the one that was promised.
    """
    commitment = promise.commitment
    data, use = commitment.data, commitment.scorer
    if data is None or use is None:
        raise UsageError("check.no-data", _("{claim} names no data").format(claim=commitment.claim))
    found = [one for one in imports_of(promise, state) if evidence is None or one[0].hash in evidence]
    if not found:
        return Verdict(
            commitment=promise.digest,
            claim=commitment.claim,
            system=commitment.system,
            status="not_measured",
            reason="no-data",
        )
    version = state.version(commitment.system)
    rule = rule or scorer(use.use, Context(secrets=version.system.secrets if version else (), root=root))
    with ExitStack() as stack:
        copies = [_items(stack, root, one) for _entry, one in found]
        source: _Rows | _Answers
        if data.use.file is None:
            source = _Rows(commitment, copies[0])
        else:
            questions = spool_items(data_file(root, data.use), shown_as=data.use.file)
            stack.callback(questions.close)
            source = _Answers(promise, questions, found, copies)
        claim = Claim(
            commitment,
            promise.digest,
            source.order,
            kind=None,
            score=rule,
            keep=keep,
            gauge=gauge_for if source.sequential else _fixed(source.size),
            retrospective=not source.sequential,
        )
        _count(claim, source.trials(), partial(_scored, rule, isinstance(use.use, Column)), keep_line)
        verdict = claim.conclude("interrupted" if source.more_to_come and not claim.closed else None)
    return verdict.model_copy(
        update={
            "evidence": tuple(entry.hash for entry, _one in found),
            "note": _note(verdict, source),
            "details": {**verdict.details, **source.details()},
        }
    )


def _items(stack: ExitStack, root: Path, found: Import) -> SpooledItems:
    path = kept_copy(root, found)
    items = spool_items(path, shown_as=found.name, folder=path.parent, at_most=None)
    stack.callback(items.close)
    return items


def _fixed(size: int | None) -> Callable[[Commitment, int], Any]:
    return lambda commitment, _horizon: fixed_gauge_for(commitment, size)


def _count(
    claim: Claim,
    trials: Iterable[_Trial],
    score: Callable[[_Trial, Sequence[Line]], Score],
    keep_line: Callable[[Line], None] | None,
) -> None:
    sequential = not claim.looks_once
    for trial in trials:
        if sequential and claim.closed:
            break
        lines = [line for row in trial.rows if (line := _line(row)) is not None]
        if keep_line is not None:
            for line in lines:
                keep_line(line)
        claim.take(trial.placed, tuple(Ask(line.key, line.request) for line in lines), score(trial, lines))
    if not sequential:
        claim.close()


def _line(row: Item) -> Line | None:
    """Give the reply of a row as a finished call; None for a row that is a decision and no reply."""
    fields = row.fields
    if "end" not in fields:
        return None
    prompts = fields.get("prompts")
    asked = prompts if isinstance(prompts, str) else "\n\n".join(prompts or ())
    return Line(
        key=call_key(["import", row.id, asked, fields.get("reply")]),
        end=fields["end"],
        reply=fields.get("reply"),
        error=fields.get("error"),
        request=asked,
    )


def _scored(rule: ScoreFunction, by_row: bool, trial: _Trial, lines: Sequence[Line]) -> Score:  # noqa: FBT001 - bound once
    """Score a trial: each row by itself where the scorer reads the row, all replies together where it reads replies."""
    if not trial.rows:
        return Score("error", NOT_IN_THE_LOG)
    if not by_row:
        return rule(trial.placed.item, [line.request for line in lines], lines)
    return worst_of(rule, [(row, _line(row)) for row in trial.rows])


class _Rows:
    """The rows of one import are the data themselves: all are looked at once."""

    sequential = False
    more_to_come = False

    def __init__(self, commitment: Commitment, items: SpooledItems) -> None:
        drawn = commitment.draw(items)
        self._drawn = drawn
        together: dict[str, list[int]] = {}
        for place in range(len(drawn)):
            together.setdefault(_sample(drawn[place].item), []).append(place)
        self._together = list(together.values())
        self.order: Sequence[Placed] = _First(drawn, self._together)
        self.size = len(self._together) if commitment.population == "data-set" else None
        self._budget = commitment.budget

    def trials(self) -> Iterator[_Trial]:
        for places in self._together[: self._budget]:
            placed = [self._drawn[place] for place in places]
            yield _Trial(placed[0], [one.item for one in placed])

    def details(self) -> dict[str, Any]:
        rows = len(self._drawn)
        return {"rows": rows} if rows > len(self._together) else {}


class _First(Sequence[Placed]):
    """The first row of each sample."""

    def __init__(self, drawn: Sequence[Placed], together: Sequence[Sequence[int]]) -> None:
        self._drawn = drawn
        self._together = together

    def __len__(self) -> int:
        return len(self._together)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - an index or a slice, as of every sequence
        if isinstance(index, slice):
            return _First(self._drawn, self._together[index])
        return self._drawn[self._together[index][0]]


class _Answers:
    """Imports answer the questions of a file that was promised before them."""

    def __init__(
        self,
        promise: Promise,
        questions: SpooledItems,
        found: Sequence[tuple[Entry, Import]],
        copies: Sequence[SpooledItems],
    ) -> None:
        commitment = promise.commitment
        self.order = commitment.draw(questions)[: commitment.budget]
        self.sequential = all(_began_after(one, promise.at) for _entry, one in found)
        self.size = len(self.order) if commitment.population == "data-set" else None
        self._copies = copies
        self._rows: dict[str, list[tuple[int, int]]] = {}
        self._others = 0
        self._match([one.name for _entry, one in found])
        last = max((n for n, placed in enumerate(self.order) if placed.item.id in self._rows), default=-1)
        self._end = last + 1 if self.sequential else len(self.order)
        self.more_to_come = self._end < len(self.order)

    def _match(self, names: Sequence[str]) -> None:
        """Give each item the rows of the first import that has a reply to it."""
        by_prompt = _by_prompt(placed.item for placed in self.order)
        wanted = {placed.item.id: placed.item for placed in self.order}
        answered: dict[str, int] = {}
        for number, items in enumerate(self._copies):
            for place, row in enumerate(items):
                name = _item_of(row, wanted, by_prompt, names[number])
                if name is None:
                    self._others += 1
                elif answered.get(name, number) == number:
                    self._take(name, number, place, row, answered)

    def _take(self, name: str, number: int, place: int, row: Item, answered: dict[str, int]) -> None:
        rows = self._rows.setdefault(name, [])
        if rows and rows[0][0] != number and row.fields.get("end") != "error":
            rows.clear()  # an earlier import had only failures here
        if not rows or rows[0][0] == number:
            rows.append((number, place))
        if row.fields.get("end") != "error":
            answered[name] = number

    def trials(self) -> Iterator[_Trial]:
        for placed in self.order[: self._end]:
            rows = [self._copies[number][place] for number, place in self._rows.get(placed.item.id, ())]
            yield _Trial(placed, rows)

    def details(self) -> dict[str, Any]:
        return {"rows_of_other_items": self._others} if self._others else {}


def _sample(row: Item) -> str:
    found = row.fields.get("sample")
    return found if isinstance(found, str) else row.id


def _prompt(item: Item) -> str | None:
    prompts = item.fields.get("prompts")
    return prompts if isinstance(prompts, str) else "\n\n".join(prompts) if prompts else None


def _by_prompt(items: Iterable[Item]) -> dict[str, str | None]:
    """Index items by what they ask; None where two ask the same."""
    found: dict[str, str | None] = {}
    for item in items:
        asked = _prompt(item)
        if asked is not None:
            found[asked] = None if asked in found else item.id
    return found


def _item_of(row: Item, wanted: dict[str, Item], by_prompt: dict[str, str | None], name: str) -> str | None:
    """Find the item that a row answers: by its id, else by the very text that was asked.

    Raises
    ------
    UsageError
        If the id is that of an item which asks something else.
    """
    sample, asked = _sample(row), _prompt(row)
    item = wanted.get(sample)
    if item is None:
        return by_prompt.get(asked) if asked is not None else None
    if asked is not None and asked != _prompt(item):
        raise UsageError(
            "check.other-question",
            _("{file}: the sample {item} answers another question than the one that was promised").format(
                file=name, item=repr(sample)
            ),
            hint=_("a claim about one thing is never measured on another; import the run that asked these questions"),
        )
    return sample


def _began_after(found: Import, at: str) -> bool:
    """Whether the file says that its run began after a moment. A file that does not say may be older."""
    began = found.provenance.began if found.provenance else None
    if began is None:
        return False
    moment = datetime.fromisoformat(began)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment > datetime.fromisoformat(at)


_TESTS: Final = {
    "exact-binomial": ("exact binomial test", "二項分布による正確検定"),
    "exact-hypergeometric": ("exact hypergeometric test", "超幾何分布による正確検定"),
    "exact-binomial-band": ("two exact binomial tests, one at each edge", "両端それぞれの二項分布による正確検定"),
    "clopper-pearson-ratio": ("exact bounds of both rates, joined", "二つの割合の正確な限界の組み合わせ"),
    "clopper-pearson-difference": ("exact bounds of both rates, joined", "二つの割合の正確な限界の組み合わせ"),
}


def _note(verdict: Verdict, source: _Rows | _Answers) -> Text | None:
    name = verdict.details.get("test")
    if name is None:
        if not source.more_to_come:
            return None
        return Text(
            en="Not all replies have been imported yet; those that are missing in between count as missing.",
            ja="返答はまだすべて取り込まれていません。途中で欠けているものは欠測として数えています。",
        )
    english, japanese = _TESTS[name]
    return Text(
        en=f"Imported trials, looked at once by a fixed-sample test ({english}): their order was not committed before "
        "they were made.",
        ja=f"取り込んだ試行です。順序が事前に約束されていないため、標本の大きさを固定した検定（{japanese}）で一度だけ判定しています。",
    )
