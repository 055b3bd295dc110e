"""Plans as XML: StratML Part 2 (ANSI/AIIM 22) and IATI 2.03 results."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from shinrai.records import (
    Goal,
    Id,
    IndicatorDefinition,
    IndicatorUse,
    Measure,
    Observation,
    Plan,
    ResultLevel,
    ResultNode,
    Text,
    definitions,
    first_day,
    last_day_of,
)
from shinrai.report.exchange.table import text_of

STRATML: Final = "urn:ISO:std:iso:17469:tech:xsd:PerformancePlanOrReport"
_STAGES: Final[dict[ResultLevel, str]] = {
    "input": "Input",
    "activity": "Input_Processing",
    "output": "Output",
    "outcome": "Outcome",
    "impact": "Outcome",
}
_RESULT_TYPES: Final[dict[ResultLevel, str]] = {
    "output": "1",
    "outcome": "2",
    "impact": "3",
    "input": "9",
    "activity": "9",
}
"""IATI code list ResultType: output, outcome, impact, other."""
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Observed = Mapping[Id, Sequence[Observation]]


def _clean(text: str) -> str:
    """Take out characters that XML 1.0 cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, name, attributes)
    if text is not None:
        element.text = _clean(text)
    return element


def _written(root: ET.Element) -> str:
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _newest(observations: Iterable[Observation]) -> dict[str, Observation]:
    """Give period → its newest vintage; breakdowns and areas apart are left out."""
    found: dict[str, Observation] = {}
    whole = [one for one in observations if one.period and not one.breakdown]
    for one in sorted(whole, key=lambda one: (first_day(one.period or ""), str(one.published or ""))):
        found[one.period or ""] = one
    return found


def _periods(use: IndicatorUse, observed: Observed) -> Iterator[tuple[str, float | None, Observation | None]]:
    """Give each period with what is promised of it and what was observed of it, in order."""
    promised = {point.period: point.value for point in use.path}
    if use.target is not None and use.target.period is not None:
        promised[use.target.period] = use.target.value
    actual = _newest(observed.get(use.indicator, ()))
    for period in sorted({*promised, *actual}, key=lambda one: (first_day(one), one)):
        yield period, promised.get(period), actual.get(period)


# ---- StratML


def stratml(plan: Plan, plans: Mapping[Id, Plan], observed: Observed, language: str = "en") -> str:
    """Write a plan as a StratML Part 2 document (schema 2.2.6 of ISO/AIIM, 2016-02-16).

    Goals become goals, measures objectives, indicators performance indicators with their targets and results. StratML
    has one language a document and no place for results chains, baselines apart from results, or vintages.

    Parameters
    ----------
    plan : Plan
        One version.
    plans : mapping
        Id → plan, for definitions that it took over.
    observed : mapping
        Indicator → observations.
    language : {"en", "ja"}
        Of the document.

    Returns
    -------
    str
        XML.

    Raises
    ------
    ValueError
        If the plan has no goals: StratML needs at least one.
    """
    if not plan.goals:
        raise ValueError("a StratML plan needs at least one goal")
    ET.register_namespace("", STRATML)
    return _StratML(plan, definitions(plan, plans), observed, "ja" if language == "ja" else "en").write()


class _StratML:
    def __init__(self, plan: Plan, known: Mapping[Id, IndicatorDefinition], observed: Observed, language: str) -> None:
        self.plan, self.known, self.observed, self.language = plan, known, observed, language
        self.nodes = {node.id: node for node in plan.results}
        self.written: set[str] = set()

    def _say(self, text: Text) -> str:
        return text.read("ja" if self.language == "ja" else "en")

    def _in(self, parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
        return _add(parent, f"{{{STRATML}}}{name}", text, **attributes)

    def write(self) -> str:
        plan = self.plan
        root = ET.Element(f"{{{STRATML}}}PerformancePlanOrReport", {"Type": "Performance_Plan"})
        self._in(root, "Name", self._say(plan.title))
        core = self._in(root, "StrategicPlanCore")
        organisation = self._in(core, "Organization")
        self._in(organisation, "Name", self._say(plan.issuer) if plan.issuer else plan.owner)
        for principle in plan.principles:
            self._in(self._in(core, "Value"), "Name", self._say(principle.title))
        for goal in plan.goals:
            self._goal(core, goal)
        self._administration(root)
        return _written(root)

    def _administration(self, root: ET.Element) -> None:
        plan = self.plan
        about = self._in(root, "AdministrativeInformation")
        self._in(about, "Identifier", f"_{plan.id}")
        if plan.period is not None:
            self._in(about, "StartDate", plan.period.start.isoformat())
            if plan.period.end is not None:
                self._in(about, "EndDate", plan.period.end.isoformat())
        if plan.edition is not None:
            self._in(about, "PublicationDate", plan.edition.decided_on.isoformat())
            self._in(about, "Source", plan.edition.document.url)

    def _entry(self, parent: ET.Element, kind: str, entry: Goal | Measure, about: Text | None, name: str) -> ET.Element:
        """Write what a goal and an objective have in common, in the order that the schema asks for."""
        element = self._in(parent, kind)
        self._in(element, "Name", self._say(entry.title))
        self._in(element, "Description", self._say(about or entry.title))
        self._in(element, "Identifier", f"_{self.plan.id}.{name}")
        if entry.number:
            self._in(element, "SequenceIndicator", entry.number)
        return element

    def _goal(self, core: ET.Element, goal: Goal) -> None:
        element = self._entry(core, "Goal", goal, goal.note, goal.id)
        for measure in goal.measures:
            self._measure(element, measure)
        own = [use for use in self.plan.uses if use.of == goal.id]
        if own:
            objective = self._in(element, "Objective")
            self._in(objective, "Name", self._say(goal.title))
            for use in own:
                self._indicator(objective, use, None)

    def _measure(self, goal: ET.Element, measure: Measure) -> None:
        objective = self._entry(goal, "Objective", measure, measure.description, f"measure.{measure.id}")
        for role in filter(None, (measure.owner, *measure.co_owners)):
            stakeholder = self._in(objective, "Stakeholder")
            self._in(stakeholder, "Name", role)
            part = self._in(stakeholder, "Role")
            self._in(part, "Name", "owner" if role == measure.owner else "co-owner")
            self._in(part, "RoleType", "Performer")
        names = {measure.id, *(node.id for node in self.plan.results if measure.id in node.of)}
        for use in self.plan.uses:
            if use.of in names and use.name not in self.written:
                self.written.add(use.name)
                self._indicator(objective, use, self.nodes.get(use.of or ""))

    def _indicator(self, objective: ET.Element, use: IndicatorUse, node: ResultNode | None) -> None:
        definition = self.known.get(use.indicator)
        if definition is None:
            return
        stage = {"ValueChainStage": _STAGES[node.level]} if node else {}
        element = self._in(objective, "PerformanceIndicator", PerformanceIndicatorType="Quantitative", **stage)
        self._in(element, "MeasurementDimension", self._say(definition.title))
        self._in(element, "UnitOfMeasurement", definition.unit)
        self._in(element, "Identifier", f"_{self.plan.id}.use.{use.name}")
        if use.baseline is not None:
            self._instance(element, use.baseline.period, None, use.baseline.value, "baseline")
        for period, promised, one in _periods(use, self.observed):
            self._instance(element, period, promised, one.value if one else None, one.source if one else "")

    def _instance(self, parent: ET.Element, period: str, target: float | None, actual: float | None, said: str) -> None:
        instance = self._in(parent, "MeasurementInstance")
        for name, value, words in (("TargetResult", target, period), ("ActualResult", actual, said or period)):
            if value is not None:
                result = self._in(instance, name)
                self._in(result, "StartDate", first_day(period).isoformat())
                self._in(result, "EndDate", last_day_of(period).isoformat())
                self._in(result, "NumberOfUnits", _decimal(value))
                self._in(result, "Description", words)


def _decimal(value: float) -> str:
    """Write a number as xsd:decimal, which knows no exponent."""
    text = text_of(value)
    return text if "e" not in text else f"{value:f}"


# ---- IATI


def iati(plan: Plan, plans: Mapping[Id, Plan], observed: Observed) -> str:
    """Write a plan as an IATI 2.03 activity with its results, titles in both languages.

    IATI needs organisations, a status and a date of every activity: they are taken from the plan's owner and decision.
    An indicator with a band cannot say which way is better in IATI; it says so in its description. Links between
    results have no place in it. The organisation is written as a government body (code 10), the activity as going on.

    Parameters
    ----------
    plan : Plan
        One version.
    plans : mapping
        Id → plan, for definitions that it took over.
    observed : mapping
        Indicator → observations.

    Returns
    -------
    str
        XML.

    Raises
    ------
    ValueError
        If the plan has neither a period nor a day of decision: IATI needs a date.
    """
    known = definitions(plan, plans)
    root = ET.Element("iati-activities", {"version": "2.03"})
    activity = _add(root, "iati-activity")
    _add(activity, "iati-identifier", f"JP-SHINRAI-{plan.id}")
    owner = _add(activity, "reporting-org", ref=f"JP-SHINRAI-{plan.owner}", type="10", **{"secondary-reporter": "1"})
    _narrate(owner, plan.issuer or Text(en=plan.owner))
    _narrate(_add(activity, "title"), plan.title)
    _narrate(_add(activity, "description", type="1"), plan.title)
    _narrate(_add(activity, "participating-org", role="4"), plan.issuer or Text(en=plan.owner))
    _add(activity, "activity-status", code="2")
    _add(activity, "activity-date", type="1", **{"iso-date": _begin(plan)})
    for title, level, uses in _results(plan):
        told = [use for use in uses if use.indicator in known]
        if told:
            result = _add(activity, "result", type=_RESULT_TYPES[level], **{"aggregation-status": "0"})
            _narrate(_add(result, "title"), title)
            for use in told:
                _iati_indicator(result, use, known[use.indicator], observed)
    return _written(root)


def _begin(plan: Plan) -> str:
    # IATI asks for a date of every activity; none is made up.
    if plan.period is not None:
        return plan.period.start.isoformat()
    if plan.edition is not None:
        return plan.edition.decided_on.isoformat()
    raise ValueError("an IATI activity needs a date: the plan has neither a period nor a day of decision")


def _results(plan: Plan) -> list[tuple[Text, ResultLevel, list[IndicatorUse]]]:
    """Give results with their indicators; what stands for a measure or a goal is no outcome by that alone."""
    found: list[tuple[Text, ResultLevel, list[IndicatorUse]]] = [
        (node.title, node.level, [use for use in plan.uses if use.of == node.id]) for node in plan.results
    ]
    nodes = {node.id for node in plan.results}
    titles = {entry.id: entry.title for entry in plan.entries()}
    for name in dict.fromkeys(use.of for use in plan.uses if use.of not in nodes):
        title = titles.get(name or "", plan.title)
        found.append((title, "activity", [use for use in plan.uses if use.of == name]))
    return found


def _narrate(element: ET.Element, text: Text) -> None:
    for code in ("en", "ja"):
        said = getattr(text, code)
        if said:
            _add(element, "narrative", said).set(_XML_LANG, code)


def _iati_indicator(result: ET.Element, use: IndicatorUse, known: IndicatorDefinition, observed: Observed) -> None:
    attributes = {"measure": "2" if known.unit in {"percent", "%"} else "1", "aggregation-status": "0"}
    if known.direction != "band":
        attributes["ascending"] = "1" if known.direction == "up" else "0"
    element = ET.SubElement(result, "indicator", attributes)
    _narrate(_add(element, "title"), known.title)
    unit = f"{known.unit}, {known.direction}"
    band = f" [{known.band[0]:g}, {known.band[1]:g}]" if known.band else ""
    _narrate(_add(element, "description"), Text(en=f"{use.name}: {unit}{band}"))
    if use.baseline is not None:
        day = first_day(use.baseline.period)
        _add(
            element,
            "baseline",
            year=str(day.year),
            value=text_of(use.baseline.value),
            **{"iso-date": day.isoformat()},
        )
    for period, promised, actual in _periods(use, observed):
        part = _add(element, "period")
        _add(part, "period-start", **{"iso-date": first_day(period).isoformat()})
        _add(part, "period-end", **{"iso-date": last_day_of(period).isoformat()})
        if promised is not None:
            _add(part, "target", value=text_of(promised))
        if actual is not None:
            seen = _add(part, "actual", value=text_of(actual.value))
            _narrate(_add(seen, "comment"), Text(en=actual.source))
