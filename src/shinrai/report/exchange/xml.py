"""Plans as XML: StratML Part 2 (ANSI/AIIM 22) and IATI 2.03 results."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final

from shinrai.i18n import Language, translate
from shinrai.records import (
    Certainty,
    Goal,
    Id,
    IndicatorDefinition,
    IndicatorUse,
    Measure,
    Observation,
    Plan,
    ResultLevel,
    ResultNode,
    Standing,
    Text,
    definitions,
    first_day,
    last_day_of,
    own_observations,
)
from shinrai.report.exchange.table import text_of
from shinrai.report.outcomes import STANDINGS
from shinrai.report.words import CERTAINTIES

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


def _periods(
    plan: Plan, use: IndicatorUse, observed: Observed
) -> Iterator[tuple[str, float | None, Observation | None]]:
    """Give each period with what is promised of it and what was observed of it, in order.

    Only what was observed of the place and group that the promise is about: other places and forecasts have no element
    of their own in either format, and would be read as the plan's results.
    """
    promised = {point.period: point.value for point in use.path}
    if use.target is not None and use.target.period is not None:
        promised[use.target.period] = use.target.value
    own = own_observations(plan, use, observed.get(use.indicator, ()))
    actual = {one.period or "": one for one in sorted(own, key=lambda one: one.published or date.min)}
    for period in sorted({*promised, *actual}, key=lambda one: (first_day(one), one)):
        yield period, promised.get(period), actual.get(period)


def _sure(standing: Standing | None, language: Language) -> str:
    """Say in brackets that a promise is not known from the final text; nothing where it is."""
    return "" if standing in {None, "final"} else f" [{translate(STANDINGS[standing], language)}]"


def _known_from(certainty: Certainty | None, language: Language) -> str:
    """Say in brackets how sure an entry or a value is; nothing where it is official or nobody says."""
    return "" if certainty in {None, "official"} else f" [{translate(CERTAINTIES[certainty], language)}]"


def _standing(use: IndicatorUse, period: str) -> Standing | None:
    """Give the standing of what is promised of a period: that of the target in its own, none on the way there."""
    return use.target.standing if use.target is not None and use.target.period == period else None


# ---- StratML


def stratml(plan: Plan, plans: Mapping[Id, Plan], observed: Observed, language: Language = "en") -> str:
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
    return _StratML(plan, definitions(plan, plans), observed, language).write()


class _StratML:
    def __init__(
        self, plan: Plan, known: Mapping[Id, IndicatorDefinition], observed: Observed, language: Language
    ) -> None:
        self.plan, self.known, self.observed, self.language = plan, known, observed, language
        self.nodes = {node.id: node for node in plan.results}
        self.written: set[str] = set()

    def _say(self, text: Text) -> str:
        return text.read(self.language)

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
        self._in(element, "Description", self._say(about or entry.title) + _known_from(entry.certainty, self.language))
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
            said = "baseline" + _sure(use.baseline.standing, self.language)
            self._instance(element, use.baseline.period, None, (use.baseline.value, said))
        for period, promised, one in _periods(self.plan, use, self.observed):
            goal = None if promised is None else (promised, period + _sure(_standing(use, period), self.language))
            seen = None if one is None else (one.value, one.source + _known_from(one.certainty, self.language))
            self._instance(element, period, goal, seen)

    def _instance(
        self, parent: ET.Element, period: str, target: tuple[float, str] | None, actual: tuple[float, str] | None
    ) -> None:
        instance = self._in(parent, "MeasurementInstance")
        for name, told in (("TargetResult", target), ("ActualResult", actual)):
            if told is not None:
                value, words = told
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
    for title, level, certainty, uses in _results(plan):
        told = [use for use in uses if use.indicator in known]
        if told:
            result = _add(activity, "result", type=_RESULT_TYPES[level], **{"aggregation-status": "0"})
            _narrate(_add(result, "title"), title)
            _told(result, "description", _in_both(partial(_known_from, certainty)))
            for use in told:
                _iati_indicator(result, plan, use, known[use.indicator], observed)
    return _written(root)


def _begin(plan: Plan) -> str:
    # IATI asks for a date of every activity; none is made up.
    if plan.period is not None:
        return plan.period.start.isoformat()
    if plan.edition is not None:
        return plan.edition.decided_on.isoformat()
    raise ValueError("an IATI activity needs a date: the plan has neither a period nor a day of decision")


def _results(plan: Plan) -> list[tuple[Text, ResultLevel, Certainty | None, list[IndicatorUse]]]:
    """Give results with their indicators; what stands for a measure or a goal is no outcome by that alone."""
    found: list[tuple[Text, ResultLevel, Certainty | None, list[IndicatorUse]]] = [
        (node.title, node.level, node.certainty, [use for use in plan.uses if use.of == node.id])
        for node in plan.results
    ]
    nodes = {node.id for node in plan.results}
    entries = {entry.id: entry for entry in plan.entries()}
    for name in dict.fromkeys(use.of for use in plan.uses if use.of not in nodes):
        entry = entries.get(name or "")
        uses = [use for use in plan.uses if use.of == name]
        found.append((entry.title if entry else plan.title, "activity", entry.certainty if entry else None, uses))
    return found


def _narrate(element: ET.Element, text: Text) -> None:
    for code in ("en", "ja"):
        said = getattr(text, code)
        if said:
            _add(element, "narrative", said).set(_XML_LANG, code)


def _in_both(words: Callable[[Language], str]) -> Text | None:
    """Say something in both languages; None where there is nothing to say."""
    english = words("en").strip()
    return Text(en=english, ja=words("ja").strip()) if english else None


def _told(parent: ET.Element, name: str, text: Text | None) -> None:
    """Write a text of its own where there is one."""
    if text is not None:
        _narrate(_add(parent, name), text)


def _iati_indicator(
    result: ET.Element, plan: Plan, use: IndicatorUse, known: IndicatorDefinition, observed: Observed
) -> None:
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
        baseline = _add(
            element,
            "baseline",
            year=str(day.year),
            value=text_of(use.baseline.value),
            **{"iso-date": day.isoformat()},
        )
        _told(baseline, "comment", _in_both(partial(_sure, use.baseline.standing)))
    for period, promised, actual in _periods(plan, use, observed):
        part = _add(element, "period")
        _add(part, "period-start", **{"iso-date": first_day(period).isoformat()})
        _add(part, "period-end", **{"iso-date": last_day_of(period).isoformat()})
        if promised is not None:
            target = _add(part, "target", value=text_of(promised))
            _told(target, "comment", _in_both(partial(_sure, _standing(use, period))))
        if actual is not None:
            seen = _add(part, "actual", value=text_of(actual.value))
            source, known_from = actual.source, partial(_known_from, actual.certainty)
            _told(seen, "comment", Text(en=source + known_from("en"), ja=source + known_from("ja")))
