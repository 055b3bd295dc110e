"""Checks: how a claim is measured. Shipped in ``catalog/checks`` or written in a workspace's ``checks/*.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Json, Record, Share, Text
from shinrai.records.dialogue import Dialogue
from shinrai.records.evidence import ImportFormat
from shinrai.records.register import Basis
from shinrai.records.scorer import Judge, ScorerUse
from shinrai.records.trial_source import SourceUse

Metric: TypeAlias = Literal[
    "failure-rate",
    "pass-rate",
    "rate-ratio",
    "rate-difference",
    "rate-band",
    "attested",
    "observed",
]
"""
failure-rate     share of trials whose outcome is fail, in [0, 1]; lower is better
pass-rate        share of trials whose outcome is pass, in [0, 1]; higher is better
rate-ratio       pass rate of group a divided by pass rate of group b, >= 0; 1 is parity
rate-difference  absolute difference of the pass rates of groups a and b, in [0, 1]; 0 is parity
rate-band        share of trials whose outcome is pass, to lie inside a band
attested         a document says so: there, unexpired and unchanged
observed         a published value compared with the threshold
"""

Comparator: TypeAlias = Literal["at-most", "at-least", "within", "exists"]

SystemKind: TypeAlias = Literal["chat", "predictor"]

TrialKind: TypeAlias = SystemKind | Literal["sample"]
"""What a trial is made of: calls to a system of a kind, or the repetitions of one ``sample`` of a trial source."""

COMPARATORS: dict[Metric, tuple[Comparator, ...]] = {
    "failure-rate": ("at-most",),
    "pass-rate": ("at-least",),
    "rate-ratio": ("at-least",),
    "rate-difference": ("at-most",),
    "rate-band": ("within",),
    "attested": ("exists",),
    "observed": ("at-most", "at-least", "within"),
}
"""The comparators that make sense with each metric."""


SCORERS_OF_SAMPLES: tuple[str, ...] = (
    *("column", "exact", "includes", "regex", "json-schema", "refusal", "personal-data"),
    "language",
)
"""What can read one sample of a trial source: its columns, or the last reply in it."""


class Groups(Record):
    """The two groups whose rates are compared."""

    column: Annotated[str, Field(description="Column of the data, exactly as written there")]
    a: Annotated[str, Field(description="Value that marks the group to protect")]
    b: Annotated[str, Field(description="Value that marks the group of comparison")]


class Repeat(Record):
    """Ask the same thing several times; the answers together are one trial."""

    type: Literal["repeat"]
    times: Annotated[int, Field(ge=2, le=20)]


class Perturb(Record):
    """Change a number a little; the answers together, the unchanged one first, are one trial."""

    type: Literal["perturb"]
    column: str
    factors: Annotated[tuple[float, ...], Field(min_length=1)]


class Swap(Record):
    """Give a column other values; the answers together, the unchanged one first, are one trial."""

    type: Literal["swap"]
    column: str
    values: Annotated[tuple[Json, ...], Field(min_length=1)]


Variants: TypeAlias = Annotated[Repeat | Perturb | Swap, Field(discriminator="type")]


class InspectTask(Record):
    """A task of Inspect, whose samples are the trials."""

    task: Annotated[
        str,
        Field(
            min_length=1,
            description="`FILE.py@NAME` relative to the workspace, or the name that an installed package registers",
        ),
    ]
    args: Annotated[dict[str, Json], Field(description="Arguments of the task")] = Field(default_factory=dict)

    @property
    def path(self) -> str | None:
        """The file that it is in, relative to the workspace; None for one of an installed package."""
        file, _at, _name = self.task.rpartition("@")
        return file or None

    @property
    def name(self) -> str:
        """Its name, without the file."""
        return self.task.rpartition("@")[2]


class DataUse(Record):
    """The data a check draws its trials from."""

    file: Annotated[
        str | None,
        Field(description="JSON Lines or CSV; relative to the workspace, or catalog:… for data that Shinrai ships"),
    ] = None
    imported: Annotated[
        ImportFormat | None,
        Field(
            description="Trials brought in by `shinrai do import`; beside `file`: the replies to it, which are "
            "imported after the promise"
        ),
    ] = None
    inspect: Annotated[
        InspectTask | None, Field(description="A task of Inspect that is run; its samples are the trials")
    ] = None
    source: Annotated[
        SourceUse | None, Field(description="A plug-in that makes the trials, one of each item of `file`")
    ] = None
    languages: Annotated[tuple[str, ...] | None, Field(description="Keep only items of these languages")] = None
    where: Annotated[
        dict[str, str | int | float | bool] | None, Field(description="Keep only rows with exactly these values")
    ] = None

    @model_validator(mode="after")
    def _one_source(self) -> DataUse:
        if self.inspect is not None and (self.file, self.imported) != (None, None):
            raise ValueError(_("a task brings its own samples: leave `file` and `imported` out"))
        if self.file is None and self.imported is None and self.inspect is None:
            raise ValueError(
                _("data come from `file`, from `imported`, or the replies to one from the other, or from `inspect`")
            )
        if self.file is not None and self.imported == "decisions":
            raise ValueError(_("decisions are rows of their own: leave `file` out"))
        if self.source is not None and (self.file is None or self.imported is not None):
            raise ValueError(_("a trial source goes with `file` alone, which holds its items"))
        return self


class MissingPolicy(Record):
    """How trials without a usable outcome count.

    The default is the worst case: a missing trial counts as a failure where the claim could be met, and as a pass
    where it could be violated, so that a broken line proves nothing either way.
    """

    allow_share: Annotated[
        Share, Field(description="Leave out missing trials as long as they are at most this share of all trials")
    ] = 0.0
    reason: Annotated[Text | None, Field(description="Why that is right; needed when allow_share is above 0")] = None

    @model_validator(mode="after")
    def _reasoned(self) -> MissingPolicy:
        if self.allow_share > 0 and self.reason is None:
            raise ValueError(_("allow_share above 0 needs a reason"))
        return self


class Check(Record):
    """How a claim is measured, and what it promises unless a plan says otherwise."""

    id: Id
    version: str = "1"
    title: Text
    statement: Annotated[Text, Field(description="The promise in words; {threshold} stands for the threshold")]
    why: Text | None = None
    applies_to: Annotated[
        SystemKind | None, Field(description="Kind of system it can be put to; any when left out")
    ] = None
    metric: Metric
    comparator: Comparator
    threshold: float | tuple[float, float] | None = None
    alpha: Annotated[float, Field(gt=0, le=0.5, description="Error level of either verdict")] = 0.05
    budget: Annotated[int | None, Field(gt=0, description="Trials at most; all the data when left out")] = None
    data: DataUse | None = None
    scorer: ScorerUse | None = None
    groups: Groups | None = None
    population: Annotated[
        Literal["traffic", "data-set"],
        Field(description="What a rate is about: the traffic that the data stand for, or exactly these data"),
    ] = "traffic"
    variants: Variants | None = None
    dialogue: Annotated[
        Dialogue | None, Field(description="A trial is a dialogue of several turns, not one question")
    ] = None
    missing: MissingPolicy = MissingPolicy()
    margin: Annotated[
        float | None,
        Field(gt=0, lt=1, description="Pass rate that a version may lose at most and still be no worse than another"),
    ] = None
    blocked: Annotated[
        Literal["pass", "fail", "missing"], Field(description="How a block by the provider's own filter counts")
    ] = "missing"
    subject: Annotated[
        str | None, Field(description="For attested and observed: the name that attestations and observations carry")
    ] = None
    answers: Annotated[
        tuple[str, ...], Field(description="Requirements it informs, such as jaisi-perspectives-1.10/1")
    ] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Check:
        if self.comparator not in COMPARATORS[self.metric]:
            raise ValueError(
                _("metric {metric} goes with {names}").format(
                    metric=self.metric, names=", ".join(COMPARATORS[self.metric])
                )
            )
        if isinstance(self.threshold, tuple) != (self.comparator == "within"):
            raise ValueError(_("a pair of thresholds goes with `within`, and only with it"))
        measured = self.metric not in {"attested", "observed"}
        if measured and (self.data is None or self.scorer is None):
            raise ValueError(_("metric {metric} needs data and a scorer").format(metric=self.metric))
        if not measured and self.subject is None:
            raise ValueError(_("metric {metric} needs a subject").format(metric=self.metric))
        if (self.metric in {"rate-ratio", "rate-difference"}) != (self.groups is not None):
            raise ValueError(_("groups go with rate-ratio and rate-difference, and only with them"))
        if self.population == "data-set" and self.metric not in {"failure-rate", "pass-rate"}:
            raise ValueError(_("the population `data-set` goes with failure-rate and pass-rate"))
        if self.metric != "attested" and self.threshold is None:
            raise ValueError(_("a threshold is needed"))
        if self.margin is not None and self.metric not in {"failure-rate", "pass-rate"}:
            raise ValueError(_("a margin goes with failure-rate and pass-rate"))
        self._judged()
        self._spoken()
        self._made_by_a_source()
        return self

    @property
    def basis(self) -> Basis:
        """What verdicts rest on."""
        if self.metric in {"attested", "observed"}:
            return "document" if self.metric == "attested" else "observation"
        if self.data is not None and self.data.imported is not None:
            return "decisions"
        return self.population

    def _made_by_a_source(self) -> None:
        """Refuse what cannot be read off the samples of a trial source.

        Raises
        ------
        ValueError
            If the scorer needs more than one reply, or the variants are not repetitions (Inspect's epochs).
        """
        if self.data is None or self.scorer is None or (self.data.inspect is None and self.data.source is None):
            return
        if self.scorer.id not in SCORERS_OF_SAMPLES:
            message = _("samples of a task or a trial source are read by one of {names}")
            raise ValueError(message.format(names=", ".join(SCORERS_OF_SAMPLES)))
        if self.variants is not None and not isinstance(self.variants, Repeat):
            raise ValueError(_("samples of a task or a trial source can only be repeated"))

    def _judged(self) -> None:
        """Refuse what no judge can be asked about, and what labels cannot correct.

        Raises
        ------
        ValueError
            If the replies are not of a run of our own, in which a judge could be asked; or if labels go with a metric,
            a population or a policy for which there is no such test.
        """
        if not isinstance(self.scorer, Judge):
            return
        if self.data is not None and (self.data.imported is not None or self.data.inspect is not None):
            raise ValueError(
                _("a judge is not asked about imported replies or samples of Inspect: ")
                + _("let the tool that made them judge, and read its score by `column`")
            )
        if self.scorer.labels is None:
            return
        if self.metric not in {"failure-rate", "pass-rate"}:
            raise ValueError(_("a judge's labels go with failure-rate and pass-rate"))
        if self.population == "data-set":
            raise ValueError(_("a judge's labels go with the population `traffic`"))
        if self.missing.allow_share > 0:
            raise ValueError(_("with a judge's labels, missing trials count as in the worst case"))

    def _spoken(self) -> None:
        """Refuse what does not go with a dialogue.

        Raises
        ------
        ValueError
            If the systems are not chat systems, the trials happened elsewhere, or replies are to be compared.
        """
        if self.dialogue is None:
            return
        if self.applies_to != "chat":
            raise ValueError(_("a dialogue goes with `applies_to: chat`"))
        if self.data is None or self.data.file is None or (self.data.imported, self.data.source) != (None, None):
            raise ValueError(_("a dialogue goes with data from `file` alone"))
        if self.variants is not None:
            raise ValueError(_("a dialogue goes without `variants`"))
        if self.scorer is not None and self.scorer.id in {"consistency", "counterfactual"}:
            raise ValueError(
                _("the scorer {id} compares replies to one question, not turns of a dialogue").format(id=self.scorer.id)
            )

    def drawn_from(self, languages: tuple[str, ...]) -> Check:
        """Give the check as it is when only items of some languages are drawn; title and statement say which."""
        if self.data is None:
            return self
        data = self.data.model_copy(update={"languages": languages})
        names = {one: _LANGUAGE_NAMES.get(one, Text(en=one)) for one in languages}
        ja = "・".join(name.read("ja") for name in names.values())
        en = ", ".join(name.read("en") for name in names.values())
        title = Text(ja=self.title.ja and f"{self.title.ja}（{ja}）", en=self.title.en and f"{self.title.en} ({en})")
        statement = Text(
            ja=self.statement.ja and f"{self.statement.ja}（{ja}の場合）",
            en=self.statement.en and f"{self.statement.en} (asked in {en})",
        )
        return self.model_copy(update={"data": data, "title": title, "statement": statement})


_LANGUAGE_NAMES = {"ja": Text(ja="日本語", en="Japanese"), "en": Text(ja="英語", en="English")}
