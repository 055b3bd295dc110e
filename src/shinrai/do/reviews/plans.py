"""From rows of the project reviews to plans: results, links, indicators, what is promised about them, observations.

Each project becomes one `Plan` of the same shape as any other, ``rs-<number>-<year>``, a version of the series
``rs-<number>``, with one measure that names the project in ``budget_refs``. Nothing is added that the files do not say:
no baseline, no direction. Indicators keep their id from year to year: project, node and place in the node.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final

from shinrai.do.reviews.budgets import Assessment, Basis, Budget
from shinrai.do.reviews.goals import Series
from shinrai.do.reviews.importing import Reviews
from shinrai.do.reviews.inputs import NODE, Values, input_node, legal_basis, named_plans, policies, spending
from shinrai.do.reviews.links import Link, NodeKey
from shinrai.do.reviews.parts import SITE, definition_of, link_of, node_of, observed, use_of
from shinrai.records import Id, IndicatorDefinition, IndicatorUse, Observation, Plan, ResultLink, ResultNode

_NOT_IN_IDS: Final = re.compile(r"[^a-z0-9]+")
_UNITS: Final = {"%": "percent", "％": "percent", "パーセント": "percent"}
_SLUG: Final = 40
"""Characters of a slug at most, so that an id never becomes longer than ids can be."""


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
    bases: list[Basis] = field(default_factory=list)
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
    for basis in reviews.bases:
        parts.get(basis.project, spare).bases.append(basis)
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
        self.definitions: list[IndicatorDefinition | Values] = []
        self.uses: list[IndicatorUse | Values] = []

    def project(self) -> Project:
        first = self.parts.series[0]
        title = {"ja": first.title or self.series}
        owner = (first.ministry or "unknown")[:80]
        bases, policy = self.parts.bases, policies(self.parts.bases)
        results = [*self._input(), *self._results()]
        self._indicators()
        assessment = self._assessment()
        measure = {
            "id": "project",
            "title": title,
            "description": {"ja": assessment} if assessment else None,
            "note": {"ja": self.parts.reason} if self.parts.reason else None,
            "owner": owner,
            "budget_refs": (self.number,),
            "sources": (self._source(first), *named_plans(bases, self.reviews.files.get("1-3", ""))),
            "certainty": "official",
        }
        # What is there once is made of plain values, all at once; what is many was made like one that was checked.
        plan = Plan.model_validate(
            {
                "id": self.id,
                "title": title,
                "owner": owner,
                "version": str(self.reviews.year),
                "legal_basis": legal_basis(bases),
                "edition": {
                    "series": self.series,
                    "decided_on": self.published,
                    "document": {"url": SITE, "digest": self.reviews.digest},
                },
                "goals": ({"id": "goal", "title": title, "note": policy, "measures": (measure,)},),
                "results": results,
                "links": self._links(),
                "indicators": self.definitions,
                "uses": self.uses,
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

    def _results(self) -> list[ResultNode]:
        """Give one node for each number and level; where it has several statements, it carries them all."""
        by_node: dict[NodeKey, list[Series]] = {}
        for series in self.parts.series:
            by_node.setdefault((self.number, series.number, series.level), []).append(series)
        taken, found = {NODE}, []
        for key, ones in by_node.items():
            _project, number, level = key
            self.nodes[key] = name = _free(f"{level}-{_slug(number)}".rstrip("-"), taken)
            statements = dict.fromkeys(one.statement or one.metric or one.title or name for one in ones)
            results = dict.fromkeys(one.qualitative_result for one in ones if one.qualitative_result)
            texts = " ／ ".join(statements), " ／ ".join(results)
            found.append(node_of(name, number, level, ones[0].horizon, texts))
        return found

    def _input(self) -> Iterator[Values]:
        """Give the node of the money, if a file 2-1 was read, and note what was spent as an indicator of it."""
        budgets = self.parts.budgets
        if not budgets:
            return
        yield input_node(NODE, budgets)
        name = f"{self.series}.{NODE}.spent"
        definition, use = spending(NODE, name, budgets)
        self.definitions.append(definition)
        self.uses.append(use)
        for one in budgets:
            if one.spent is not None:
                self._observe(name, "yen", {one.year: one.spent}, (self.reviews.files["2-1"], one.line))

    def _links(self) -> list[ResultLink]:
        nodes = self.nodes
        return [link_of(nodes[one.source], nodes[one.target], one.mechanism) for one in self.parts.links]

    def _indicators(self) -> None:
        counts: dict[Id, int] = {}
        for series in self.parts.series:
            if not series.metric:
                continue
            node = self.nodes[self.number, series.number, series.level]
            counts[node] = counts.get(node, 0) + 1
            name = f"{self.series}.{node}.{counts[node]}"
            if series.direction is None or not series.unit:
                continue  # a notice says so: without a direction and a unit nothing can be said about a value
            unit = _UNITS.get(series.unit, series.unit)
            self.definitions.append(definition_of(name, unit, series))
            self.uses.append(use_of(name, node, series))
            self._observe(name, unit, series.actuals, (self.file, series.lines.get("actual", series.line)))

    def _observe(self, name: Id, unit: str, actuals: Mapping[int, float], place: tuple[str, int]) -> None:
        if actuals:
            vintage = self.reviews.year, self.published
            self.observations.extend(observed((name, unit), actuals, place, vintage))

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


@lru_cache(maxsize=4096)
def _slug(written: str) -> str:
    return _NOT_IN_IDS.sub("-", unicodedata.normalize("NFKC", written).lower()).strip("-")[:_SLUG].rstrip("-")


def _free(wanted: str, taken: set[str]) -> str:
    """Give an id that is not taken yet, with a number behind it where it is."""
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}.{count}"
    taken.add(name)
    return name
