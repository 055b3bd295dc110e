"""Indicators: what is measured, what a plan promises about it, and what was wrong with the numbers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import Field, model_validator

from shinrai.i18n import _
from shinrai.records.base import Id, Record, Role, Share, Text
from shinrai.records.source import Certainty, Source, Standing
from shinrai.records.timeperiod import Frequency, TimePeriod, frequency_of

TOTAL = "_T"
"""The whole of a breakdown, named as SDMX names it. Blank is missing, never the total."""

Direction: TypeAlias = Literal["up", "down", "band"]
"""Which way is better: more, less, or inside a range."""

IndicatorState: TypeAlias = Literal[
    "achieved",
    "on_path",
    "slightly_behind",
    "off_path",
    "reversing",
    "too_early",
    "no_recent_data",
    "no_baseline",
    "no_target",
    "not_measurable",
    "disputed",
]
"""Where an indicator stands; from `too_early` on nothing can be said, which is never good and stays in every count."""

INDICATOR_STATES: Final[tuple[IndicatorState, ...]] = get_args(IndicatorState)
"""All of them, in the order in which they are shown."""

PathBasis: TypeAlias = Literal["official", "linear-interpolated", "s-curve-assumed", "expert"]
"""Who says that the indicator should be there in that period."""


class DataQuality(Record):
    """Five questions that the GPRA Modernization Act of the United States asks of every measure.

    One without an answer is a finding.

    Source: 31 U.S.C. 1115(b)(8), as counted in GAO-15-788.
    """

    verified: Annotated[Text | None, Field(description="How the values are verified and validated")] = None
    sources: Annotated[Text | None, Field(description="Where the values come from")] = None
    accuracy: Annotated[Text | None, Field(description="How accurate they have to be for their use")] = None
    limitations: Annotated[Text | None, Field(description="What they cannot say")] = None
    compensation: Annotated[Text | None, Field(description="How these limits are made up for")] = None

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The questions without an answer, by the name of their field."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is None)


class IndicatorDefinition(Record):
    """What is measured, apart from what anybody promises about it.

    Another population, survey or wording of the question is another indicator: equal names are not equal measures.
    """

    id: Id
    title: Text
    unit: Annotated[str, Field(min_length=1, description="Such as percent, persons, yen, index")]
    unit_multiplier: Annotated[int, Field(description="Power of ten that values are multiplied by, as in SDMX")] = 0
    direction: Annotated[Direction, Field(description="Which way is better")]
    band: Annotated[tuple[float, float] | None, Field(description="Good range; only with direction band")] = None
    limits: Annotated[tuple[float | None, float | None], Field(description="Smallest and largest possible value")] = (
        None,
        None,
    )
    formula: Annotated[Text | None, Field(description="How it is calculated")] = None
    population: Annotated[Text | None, Field(description="Who or what is counted")] = None
    survey_mode: Annotated[str | None, Field(description="Such as web-survey, register, administrative-data")] = None
    disaggregation: Annotated[tuple[Id, ...], Field(description="Columns of the observations that break it down")] = ()
    names: Annotated[
        dict[Id, Text],
        Field(default_factory=dict, description="What dimensions and their categories are called, by their code"),
    ]
    frequency: Frequency = "year"
    expected_lag: Annotated[int, Field(ge=0, description="Months from the end of a period to its publication")] = 12
    max_age: Annotated[int, Field(gt=0, description="Months after which a value says nothing of today")] = 24
    quality: DataQuality = DataQuality()
    standing: Literal["official", "proxy", "experimental"] = "official"
    note: Text | None = None
    sources: tuple[Source, ...] = ()
    certainty: Certainty | None = None

    @model_validator(mode="after")
    def _band_has_edges(self) -> IndicatorDefinition:
        if (self.direction == "band") != (self.band is not None):
            raise ValueError(_("`band` belongs to the direction band, and only to it"))
        if self.band is not None and self.band[0] >= self.band[1]:
            raise ValueError(_("`band` needs a lower edge below its upper edge"))
        low, high = self.limits
        if low is not None and high is not None and low >= high:
            raise ValueError(_("`limits` need a smallest value below the largest one"))
        return self


class Baseline(Record):
    """Where an indicator stood at the beginning."""

    period: TimePeriod
    value: float
    standing: Standing = "final"
    sources: tuple[Source, ...] = ()


class Target(Record):
    """Where it shall be, and by when."""

    value: float
    period: Annotated[TimePeriod | None, Field(description="Left out where the plan names no date")] = None
    wording: Annotated[Text | None, Field(description="The target in the plan's own words")] = None
    standing: Standing
    sources: tuple[Source, ...] = ()


class PathPoint(Record):
    """Where it should be in one period on the way."""

    period: TimePeriod
    value: float


class IndicatorUse(Record):
    """What one version of a plan promises about an indicator."""

    id: Annotated[
        Id | None, Field(description="Needed where one indicator is used twice; the indicator's otherwise")
    ] = None
    indicator: Id
    of: Annotated[Id | None, Field(description="Result node, goal or measure that it stands for")] = None
    area: Annotated[str | None, Field(description="Where; that of the plan when left out")] = None
    breakdown: Annotated[dict[Id, str], Field(default_factory=dict, description="Such as {region: tokyo}")]
    baseline: Baseline | None = None
    target: Target | None = None
    path: tuple[PathPoint, ...] = ()
    path_basis: PathBasis | None = None
    first_effect: Annotated[TimePeriod | None, Field(description="Earliest period in which an effect can show")] = None
    not_measurable: Annotated[Text | None, Field(description="Why nobody can measure it, where that is so")] = None
    rationale: Annotated[Text | None, Field(description="Why this target")] = None
    method: Annotated[Id | None, Field(description="Method of the status; the catalog's own when left out")] = None
    note: Text | None = None
    sources: tuple[Source, ...] = ()
    certainty: Certainty | None = None

    @property
    def name(self) -> str:
        """Its id within the plan."""
        return self.id or self.indicator

    @model_validator(mode="after")
    def _path_is_in_order(self) -> IndicatorUse:
        if bool(self.path) != (self.path_basis is not None):
            raise ValueError(_("`path` and `path_basis` belong together"))
        named = [point.period for point in self.path]
        ends = [one.period for one in (self.baseline, self.target) if one is not None and one.period is not None]
        if len({frequency_of(period) for period in (*named, *ends)}) > 1:
            raise ValueError(_("`baseline`, `path` and `target` need periods of one kind, such as all FY or all years"))
        if named != sorted(set(named)):
            raise ValueError(_("`path` must be in order of time, each period once"))
        if len(ends) == 2 and ends[0] >= ends[1]:
            raise ValueError(_("the baseline must be of an earlier period than the target"))
        return self


class StatusMethod(Record):
    """By which thresholds a status is given: named and versioned, so that it can be cited and compared."""

    id: Id
    version: str
    title: Text
    on_path: Annotated[float, Field(description="Pace from which an indicator is on its path")] = 0.95
    slightly_behind: Annotated[float, Field(description="Pace from which it is only slightly behind")] = 0.6
    reversing: Annotated[float, Field(description="Pace below which it moves the wrong way")] = 0.0
    decided: Annotated[Share, Field(description="Probability that one state needs to be shown as certain")] = 0.8
    projection_points: Annotated[int, Field(ge=3, description="Observations that a projection needs")] = 4
    projection_level: Annotated[Share, Field(description="Coverage of the projection's interval")] = 0.9
    half_life: Annotated[float, Field(gt=0, description="Years after which an observation counts half")] = 5.0
    sources: tuple[Source, ...] = ()

    @model_validator(mode="after")
    def _thresholds_are_in_order(self) -> StatusMethod:
        if not self.reversing <= self.slightly_behind < self.on_path:
            raise ValueError(_("expected `reversing` <= `slightly_behind` < `on_path`"))
        return self


class Correction(Record):
    """A known mistake in published numbers, and what is done about it until the publisher has mended it.

    `expect` guards it: where the value is another one than expected, the correction is refused, not made.
    """

    id: Id
    indicator: Id
    period: TimePeriod
    area: str | None = None
    breakdown: Annotated[dict[Id, str], Field(default_factory=dict)]
    published: Annotated[date | None, Field(description="Vintage that it is about; every one when left out")] = None
    action: Literal["drop", "override", "scale", "flag"]
    expect: Annotated[float, Field(description="Value that is corrected")]
    value: Annotated[float | None, Field(description="New value (override) or factor (scale)")] = None
    reason: Text
    provider: Annotated[Role, Field(description="Who publishes the numbers")]
    state: Literal["open", "reported", "acknowledged", "fixed-upstream"]

    @model_validator(mode="after")
    def _value_goes_with_the_action(self) -> Correction:
        if (self.action in {"override", "scale"}) != (self.value is not None):
            raise ValueError(_("`value` belongs to the actions override and scale, and only to them"))
        return self


class Corrections(Record):
    """The files ``observations/*.yaml``: corrections of observed values."""

    id: Id
    corrections: Annotated[tuple[Correction, ...], Field(min_length=1)]
