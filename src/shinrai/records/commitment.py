"""Commitments: what was promised, written down before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shinrai.records.base import Digest, Id, Record, Text
from shinrai.records.check import Comparator, DataUse, Groups, Metric, MissingPolicy, SystemKind, TrialKind, Variants
from shinrai.records.dialogue import Dialogue
from shinrai.records.drawing import Placed, draw
from shinrai.records.plugin import Plugin
from shinrai.records.scorer import Judge, LabelPlan, ScorerUse
from shinrai.records.trial import Item


class CommittedTask(Record):
    """The task of Inspect that makes the trials, pinned.

    Parameters
    ----------
    name : str
        As the task calls itself.
    version : str
        Of the task.
    inspect : str
        Version of inspect-ai.
    scorers : tuple of str
        Names of its scores.
    files : dict
        Python files of the workspace that it loads, relative to it → digest.
    packages : dict
        Package that it comes from, where it is no file of the workspace → version.
    """

    name: str
    version: str
    inspect: str
    scorers: tuple[str, ...]
    files: dict[str, Digest] = Field(default_factory=dict)
    packages: dict[str, str] = Field(default_factory=dict)


class CommittedData(Record):
    """The data of a commitment, pinned.

    Parameters
    ----------
    use : DataUse
        Where they are and which rows are kept.
    digest : Digest
        Of the file's bytes.
    items : int
        Rows kept.
    task : CommittedTask, optional
        Where the rows are the samples of a task of Inspect.
    source : Plugin, optional
        Where a plug-in makes the trials out of the rows.
    """

    use: DataUse
    digest: Digest
    items: Annotated[int, Field(ge=0)]
    task: CommittedTask | None = None
    source: Plugin | None = None

    @property
    def sampled(self) -> bool:
        """Whether a trial source makes the trials, and not the system that is asked item by item."""
        return self.task is not None or self.source is not None


class CommittedJudge(Record):
    """The system that judges, pinned like the one under test."""

    system: Id
    fingerprint: Digest


class CommittedScorer(Record):
    """The scorer of a commitment, pinned; with the judge, where one judges, and the code, where it is not Shinrai's."""

    use: ScorerUse
    version: str
    judge: CommittedJudge | None = None
    plugin: Plugin | None = None


class CommittedDialogue(Record):
    """The dialogues of a commitment, pinned: turns, instruction and whatever else drives them.

    Parameters
    ----------
    version : str
        Of the rules by which dialogues go on.
    driver : Digest, optional
        Fingerprint of the system that drives them.
    """

    use: Dialogue
    version: str
    driver: Digest | None = None


class Commitment(Record):
    """A claim on a system, with everything that could be turned afterwards to change its verdict.

    Its digest is its name. Two commitments with the same digest are the same promise.

    Parameters
    ----------
    claim : str
        Path ``plan/goal/measure/claim``.
    fingerprint : Digest
        Of the system version it is about.
    context : Digest, optional
        Of what the register said of the system, as far as the claim hangs on it (`HANGS_ON`); None for promises made
        before the register was pinned, which stand as long as that has not changed.
    population : {"traffic", "data-set", "evidence"}
        What the statement is about: the traffic that the data were drawn from, exactly these data, or a fixed piece
        of evidence.
    order_seed : int
        Fixes the order in which items are drawn.
    budget : int
        Trials at most.
    """

    claim: str
    system: Id
    fingerprint: Digest
    context: Digest | None = None
    check: Id
    check_version: str
    title: Text
    statement: Text
    metric: Metric
    comparator: Comparator
    threshold: float | tuple[float, float] | None = None
    alpha: float
    budget: Annotated[int, Field(ge=0)]
    population: Literal["traffic", "data-set", "evidence"] = "traffic"
    order_seed: int
    data: CommittedData | None = None
    scorer: CommittedScorer | None = None
    groups: Groups | None = None
    variants: Variants | None = None
    dialogue: CommittedDialogue | None = None
    missing: MissingPolicy = MissingPolicy()
    blocked: Literal["pass", "fail", "missing"] = "missing"
    margin: float | None = None
    subject: str | None = None
    answers: tuple[str, ...] = ()
    due: date | None = None
    repeat_days: Annotated[int | None, Field(gt=0, description="Days after which a verdict is stale")] = None

    @property
    def key(self) -> str:
        """``claim@system``: what stays the same when a commitment is replaced."""
        return f"{self.claim}@{self.system}"

    @property
    def risk(self) -> tuple[Digest, Digest | None, Metric, Comparator, float | tuple[float, float] | None]:
        """What somebody who accepts that it is not met puts up with: which system, used for what, which promise."""
        return self.fingerprint, self.context, self.metric, self.comparator, self.threshold

    @property
    def finite_population(self) -> int | None:
        """Number of items of the data set that the promise is about; None where it is about more than these."""
        return self.data.items if self.population == "data-set" and self.data is not None else None

    def draw(self, items: Sequence[Item]) -> Sequence[Placed]:
        """Give the items of its data set in the order in which they are drawn; see `draw`."""
        return draw(items, self.order_seed, self.data.use if self.data else None, self.groups)

    def trial_kind(self, system: SystemKind) -> TrialKind:
        """Say what its trials are made of: samples of a source, or calls of the kind that the system takes."""
        return "sample" if self.data is not None and self.data.sampled else system

    @property
    def label_plan(self) -> LabelPlan | None:
        """How people's labels correct its judge; None where no judge is corrected."""
        use = self.scorer.use if self.scorer else None
        return use.labels if isinstance(use, Judge) else None

    @property
    def failure_limit(self) -> float | None:
        """The largest failure rate that keeps the promise; None where it is not about one rate on one side."""
        if not isinstance(self.threshold, float) or self.metric not in {"failure-rate", "pass-rate"}:
            return None
        return self.threshold if self.metric == "failure-rate" else 1.0 - self.threshold


class Ruling(Record):
    """Whether a claim applies to a system, and why."""

    claim: str
    system: Id
    applies: bool
    rule: Annotated[Literal["named", "every-system", "kind", "narrowed"], Field(description="The rule that decided")]
    reason: Text

    @property
    def key(self) -> str:
        """``claim@system``."""
        return f"{self.claim}@{self.system}"
