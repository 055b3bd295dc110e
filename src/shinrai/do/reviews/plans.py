"""From rows of the project reviews to plans: results, links, indicators, what is promised about them, observations.

Each project becomes one `Plan` of the same shape as any other, ``rs-<number>-<year>``, a version of the series
``rs-<number>``, with one measure that names the project in ``budget_refs``. Nothing is added that the files do not say:
no baseline, no direction. Indicators keep their id from year to year: project, node and place in the node.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Final, TypeAlias

from shinrai.do.reviews.budgets import Assessment, Budget
from shinrai.do.reviews.goals import Series
from shinrai.do.reviews.importing import Reviews
from shinrai.do.reviews.links import Link, NodeKey
from shinrai.records import Id, Observation, Plan, last_day_of

Values: TypeAlias = dict[str, Any]
"""Of a record, before it is made."""

_NOT_IN_IDS: Final = re.compile(r"[^a-z0-9]+")
_UNITS: Final = {"%": "percent", "％": "percent", "パーセント": "percent"}

SITE: Final = "https://rssystem.go.jp/"
"""Where the project reviews are published."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project as a plan, with what was observed about it."""

    plan: Plan
    observations: tuple[Observation, ...]


@dataclass(slots=True)
class _Parts:
    """All that the files say about one project."""

    series: list[Series] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    assessment: Assessment | None = None
    reason: str = ""


def projects(reviews: Reviews, published: date, only: Collection[str] | None = None) -> Iterator[Project]:
    """Give projects of the reviews as plans.

    Parameters
    ----------
    reviews : Reviews
        As read.
    published : date
        Day on which the files were published: the vintage of the observations.
    only : collection of str, optional
        Numbers of the projects that are wanted; all when left out.

    Yields
    ------
    Project
        In the order in which they appear in file 3-1.
    """
    parts: dict[str, _Parts] = {}
    for series in reviews.series:
        if only is None or series.project in only:
            parts.setdefault(series.project, _Parts()).series.append(series)
    spare = _Parts()  # takes what belongs to projects that are not wanted
    for link in reviews.links:
        parts.get(link.source[0], spare).links.append(link)
    for budget in reviews.budgets:
        parts.get(budget.project, spare).budgets.append(budget)
    for assessment in reviews.assessments:
        parts.get(assessment.project, spare).assessment = assessment
    for project, reason in reviews.reasons.items():
        parts.get(project, spare).reason = reason
    for number, part in parts.items():
        yield _Maker(number, part, reviews, published).project()


class _Maker:
    """Makes the plan of one project."""

    def __init__(self, number: str, parts: _Parts, reviews: Reviews, published: date) -> None:
        self.number = number
        self.series = f"rs-{number}"
        self.id = f"{self.series}-{reviews.year}"
        self.parts = parts
        self.reviews = reviews
        self.published = published
        self.file = reviews.files["3-1"]
        self.nodes: dict[NodeKey, Id] = {}
        self.observations: list[Observation] = []

    def project(self) -> Project:
        first = self.parts.series[0]
        title = {"ja": first.title or self.series}
        owner = (first.ministry or "unknown")[:80]
        results = self._results()
        definitions, uses = self._indicators()
        assessment = self._assessment()
        measure = {
            "id": "project",
            "title": title,
            "description": {"ja": assessment} if assessment else None,
            "note": {"ja": self.parts.reason} if self.parts.reason else None,
            "owner": owner,
            "budget_refs": (self.number,),
            "sources": (self._source(first),),
            "certainty": "official",
        }
        # Records are made of plain values all at once, which takes half the time of making them one by one.
        plan = Plan.model_validate(
            {
                "id": self.id,
                "title": title,
                "owner": owner,
                "version": str(self.reviews.year),
                "edition": {
                    "series": self.series,
                    "decided_on": self.published,
                    "document": {"url": SITE, "digest": self.reviews.digest},
                },
                "goals": ({"id": "goal", "title": title, "measures": (measure,)},),
                "results": results,
                "links": self._links(),
                "indicators": definitions,
                "uses": uses,
            }
        )
        return Project(plan, tuple(self.observations))

    def _source(self, first: Series) -> Values:
        year = self.reviews.year
        return {
            "title": {"ja": f"行政事業レビュー {year}年度", "en": f"Project reviews of {year}"},
            "url": SITE,
            "locator": f"{self.file}:{first.line}",
            "date": self.published,
            "certainty": "official",
        }

    def _results(self) -> list[Values]:
        """Give one node for each number and level; where it has several statements, it carries them all."""
        by_node: dict[NodeKey, list[Series]] = {}
        for series in self.parts.series:
            by_node.setdefault((self.number, series.number, series.level), []).append(series)
        taken: set[str] = set()
        found = list(self._input(taken))
        for key, ones in by_node.items():
            self.nodes[key] = name = _free(f"{key[2]}-{_slug(key[1])}".rstrip("-"), taken)
            statements = dict.fromkeys(one.statement or one.metric or one.title or name for one in ones)
            results = dict.fromkeys(one.qualitative_result for one in ones if one.qualitative_result)
            found.append(
                {
                    "id": name,
                    "number": key[1] or None,
                    "level": key[2],
                    "horizon": ones[0].horizon,
                    "title": {"ja": " ／ ".join(statements)},
                    "of": ("project",),
                    "note": {"ja": " ／ ".join(results)} if results else None,
                    "certainty": "official",
                }
            )
        return found

    def _input(self, taken: set[str]) -> Iterator[Values]:
        lines = [_money(budget) for budget in self.parts.budgets]
        if lines:
            title = {"ja": "予算と執行", "en": "Budget"}
            name = _free("input-budget", taken)
            yield {"id": name, "level": "input", "title": title, "of": ("project",), "note": {"ja": "\n".join(lines)}}

    def _links(self) -> list[Values]:
        return [
            {
                "from": self.nodes[link.source],
                "to": self.nodes[link.target],
                "mechanism": {"ja": link.mechanism} if link.mechanism else None,
            }
            for link in self.parts.links
        ]

    def _indicators(self) -> tuple[list[Values], list[Values]]:
        definitions, uses = [], []
        counts: dict[Id, int] = {}
        for series in self.parts.series:
            if not series.metric:
                continue
            node = self.nodes[self.number, series.number, series.level]
            counts[node] = counts.get(node, 0) + 1
            name = f"{self.series}.{node}.{counts[node]}"
            if series.direction is None or not series.unit:
                continue  # a notice says so: without a direction and a unit nothing can be said about a value
            definitions.append(_definition(name, series))
            uses.append(_use(name, node, series))
            self._observe(name, series)
        return definitions, uses

    def _observe(self, name: str, series: Series) -> None:
        """Make the first observation of a series; the others are copies of it with another value and place.

        What differs needs no second check: a finite number, a year of four digits and what follows from it.
        """
        line = series.lines.get("actual", series.line)
        first: Observation | None = None
        for year in sorted(series.actuals):
            here = {
                "value": series.actuals[year],
                "as_of": _end_of(year),
                "period": f"FY{year}",
                "locator": f"{line}:{year}",
            }
            one = first.model_copy(update=here) if first else self._observation(name, series.unit, here)
            first = first or one
            self.observations.append(one)

    def _observation(self, name: str, unit: str, here: Values) -> Observation:
        return Observation.model_validate(
            {
                **here,
                "subject": name,
                "unit": _UNITS.get(unit, unit),
                "source": f"行政事業レビュー {self.reviews.year}年度 {self.file}",
                "published": self.published,
                "url": SITE,
                "collector": "self-reported",
                "certainty": "official",
            }
        )

    def _assessment(self) -> str:
        found = self.parts.assessment
        if found is None:
            return ""
        parts = {
            "点検結果": found.self_check,
            "改善の方向性": found.improvement,
            "効果測定に関する評価": found.effect,
            "外部有識者の所見": found.expert,
            "推進チームの所見": " ".join(filter(None, (found.team, found.team_details))),
            "反映状況": " ".join(filter(None, (found.reflected, found.reflected_details))),
        }
        return "\n".join(f"{name}：{said}" for name, said in parts.items() if said)


def _definition(name: str, series: Series) -> Values:
    return {
        "id": name,
        "title": {"ja": series.metric},
        "unit": _UNITS.get(series.unit, series.unit),
        "direction": series.direction,
        "frequency": "fiscal-year",
        "sources": ({"title": {"ja": series.origin}, "certainty": "official"},) if series.origin else (),
        "certainty": "official",
    }


def _use(name: str, node: str, series: Series) -> Values:
    year = series.target_year
    value = series.targets.get(year) if year is not None else None
    last = year if value is not None else None  # what lies beyond the target year is no way to it; a notice says so
    years = [one for one in sorted(series.targets) if last is None or one <= last]
    target = {"value": value, "period": f"FY{year}", "standing": "final", "sources": _decision(series)}
    return {
        "indicator": name,
        "of": node,
        "target": None if value is None else target,
        "path": [{"period": f"FY{one}", "value": series.targets[one]} for one in years],
        "path_basis": "official" if years else None,
        "certainty": "official",
    }


@cache
def _end_of(year: int) -> date:
    return last_day_of(f"FY{year}")


def _decision(series: Series) -> tuple[Values, ...]:
    """Give the decision that the ministry names for the indicator, as it names it."""
    if not series.decision:
        return ()
    url, place = series.decision_url or None, series.decision_place or None
    return ({"title": {"ja": series.decision}, "url": url, "locator": place, "certainty": "official"},)


def _money(budget: Budget) -> str:
    names = {
        "当初予算": budget.initial,
        "補正予算": budget.supplementary,
        "歳出予算現額": budget.available,
        "執行額": budget.spent,
        "翌年度要求額": budget.requested,
    }
    amounts = [f"{name} {amount:,.0f}円" for name, amount in names.items() if amount is not None]
    return f"{budget.year}年度：{'、'.join(amounts)}"


def _slug(written: str) -> str:
    return _NOT_IN_IDS.sub("-", unicodedata.normalize("NFKC", written).lower()).strip("-")


def _free(wanted: str, taken: set[str]) -> str:
    """Give an id that is not taken yet, with a number behind it where it is."""
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}.{count}"
    taken.add(name)
    return name
