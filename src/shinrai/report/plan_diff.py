"""Two versions of a plan side by side: what changed, today's data under both promises, and what was left behind."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from shinrai.check.indicators import IndicatorStatus, assess
from shinrai.check.series import Series, SeriesKey
from shinrai.i18n import LANGUAGES, N_, Language, translate
from shinrai.ledger import State
from shinrai.plan.versions import (
    EFFECTS,
    RULES,
    Change,
    Comparison,
    Debt,
    Effect,
    Part,
    carried_forward,
    compare,
    json_patch,
    unread,
)
from shinrai.records import ChangeKind, Id, IndicatorState, Json, Plan, StatusMethod, Text, last_day_of
from shinrai.report.outcomes import STANDINGS, STATE_SHAPES, STATE_WORDS
from shinrai.report.words import CERTAINTIES
from shinrai.workspace import Workspace

EFFECT_WORDS: Final[dict[Effect, str]] = {
    "stronger": N_("stronger"),
    "weaker": N_("weaker"),
    "neutral": N_("neutral"),
    "unclear": N_("unclear"),
}
EFFECT_SHAPES: Final[dict[Effect, str]] = {"stronger": "▲", "weaker": "▼", "neutral": "–", "unclear": "?"}

KIND_WORDS: Final[dict[ChangeKind, str]] = {
    "added": N_("added"),
    "removed": N_("removed"),
    "not-found": N_("not known of the other version"),
    "split": N_("split"),
    "merged": N_("merged"),
    "moved": N_("moved"),
    "text-changed": N_("text changed"),
    "owner-changed": N_("owner changed"),
    "deadline-earlier": N_("earlier deadline"),
    "deadline-later": N_("later deadline"),
    "target-added": N_("target added"),
    "target-removed": N_("target removed"),
    "target-raised": N_("target raised"),
    "target-lowered": N_("target lowered"),
    "target-date-moved": N_("target date moved"),
    "standing-changed": N_("standing of the target changed"),
    "path-changed": N_("path changed"),
    "baseline-changed": N_("baseline changed"),
    "indicator-replaced": N_("indicator replaced"),
    "definition-changed": N_("definition changed"),
    "level-changed": N_("level changed"),
    "force-changed": N_("legal force changed"),
}
PART_WORDS: Final[dict[Part, str]] = {
    "plan": N_("plan"),
    "principle": N_("principle"),
    "goal": N_("goal"),
    "measure": N_("measure"),
    "milestone": N_("milestone"),
    "node": N_("result"),
    "link": N_("link"),
    "indicator": N_("indicator"),
    "use": N_("indicator promise"),
    "open-question": N_("open question"),
}
DEBT_WORDS: Final[dict[str, str]] = {
    "dropped": N_("missed, then dropped"),
    "later": N_("missed, then put off"),
    "lowered": N_("missed, then lowered"),
    "open": N_("missed, promised as before"),
    "unknown": N_("missed; whether it is still promised is not known"),
}

RED: Final[tuple[IndicatorState, ...]] = ("off_path", "reversing")
_SAID: Final[tuple[IndicatorState, ...]] = ("on_path", "slightly_behind", *RED)

_TOKENS: Final[dict[Language, re.Pattern[str]]] = {
    "ja": re.compile(r".", re.DOTALL),
    "en": re.compile(r"\s+|\w+|[^\w\s]"),
}


@dataclass(frozen=True, slots=True)
class Score:
    """Today's data under the old promise and under the new one; None where a version promises nothing of the kind."""

    name: str
    old: IndicatorStatus | None
    new: IndicatorStatus | None


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """A comparison with everything that is shown of it.

    Parameters
    ----------
    comparison : Comparison
    today : date
        For which the scores are given.
    scores : list of Score
        One for each promise about an indicator in either version.
    debts : list of Debt
    without_evidence : list of Change
        Changes that touch the promise and rest on nothing stated.
    unanswered : list of str
        Red findings about which nothing has changed.
    """

    comparison: Comparison
    today: date
    scores: list[Score]
    debts: list[Debt]
    without_evidence: list[Change]
    unanswered: list[str]

    def to_json(self) -> dict[str, Json]:
        """Give everything as JSON values, with the JSON Patch from the old version to the new one."""
        comparison = self.comparison
        effects = comparison.effects()
        unfounded = {id(change) for change in self.without_evidence}
        return {
            "version": 1,
            "old": comparison.old.id,
            "new": comparison.new.id,
            "today": self.today.isoformat(),
            "effects": {effect: effects[effect] for effect in EFFECTS},
            "changes": [self._change(change, id(change) in unfounded) for change in comparison.changes],
            "scores": [{"use": one.name, "old": _status(one.old), "new": _status(one.new)} for one in self.scores],
            "carried_forward_debt": [debt.to_json() for debt in self.debts],
            "without_evidence": [f"{change.kind} {change.id}" for change in self.without_evidence],
            "red_without_change": self.unanswered,
            "rules": {rule: {code: translate(RULES[rule], code) for code in LANGUAGES} for rule in self._rules()},
            "patch": json_patch(comparison.old.to_json(), comparison.new.to_json()),
        }

    def _change(self, change: Change, unfounded: bool) -> dict[str, Json]:  # noqa: FBT001 - only called above
        reason = self.comparison.reason(change)
        return {**change.to_json(), "reason": reason.to_json() if reason else None, "without_evidence": unfounded}

    def _rules(self) -> list[Any]:
        return list(dict.fromkeys(change.rule for change in self.comparison.changes))


def _status(status: IndicatorStatus | None) -> Json:
    return None if status is None else status.to_json()


def plan_diff(  # noqa: PLR0917 - one argument for each thing that is compared or looked up
    versions: tuple[Plan, Plan],
    plans: Mapping[Id, Plan],
    series: Mapping[SeriesKey, Series],
    method: StatusMethod,
    today: date,
    findings: Mapping[str, Collection[str]] | None = None,
) -> PlanDiff:
    """Compare two versions of a plan, and score today's data under both promises.

    Parameters
    ----------
    versions : tuple of Plan
        The old one and the new one.
    plans : mapping
        Id → plan, for definitions that a version took over.
    series : mapping
        Observations, gathered.
    method : StatusMethod
        Of the states; the same for both.
    today : date
        For which the states are given.
    findings : mapping, optional
        Open findings → ids in the old version that they are about.

    Returns
    -------
    PlanDiff
    """
    old, new = versions
    known = {**plans, old.id: old, new.id: new}
    comparison = compare(old, new, known)
    before = {one.use.name: one for one in assess([old], known, series, method, today)}
    after = {one.use.name: one for one in assess([new], known, series, method, today)}
    scores = [Score(name, before.get(name), after.get(name)) for name in dict.fromkeys((*after, *before))]
    missed = {
        name
        for name, one in before.items()
        if one.use.target
        and one.use.target.period
        and last_day_of(one.use.target.period) < today
        and one.state in _SAID
    }
    red = {f"{name}: {one.state}": _about(one) for name, one in before.items() if one.state in RED}
    debts = carried_forward(comparison, today, missed)
    unanswered = comparison.unanswered({**red, **(findings or {})})
    return PlanDiff(comparison, today, scores, debts, comparison.without_evidence(), unanswered)


def _about(status: IndicatorStatus) -> set[str]:
    names = {status.use.name, status.use.indicator}
    if status.use.of is not None:
        names.add(status.use.of)
        node = next((one for one in status.plan.results if one.id == status.use.of), None)
        names |= set(node.of) if node else set()
    return names


def findings_about(plan: Plan, workspace: Workspace, state: State) -> dict[str, set[str]]:
    """Give the open findings that hang below a plan, with the ids in it that they are about.

    Parameters
    ----------
    plan : Plan
        An organisation's own plan, or one that its measures implement.
    workspace : Workspace
        With these measures.
    state : State
        Of the ledger, with the findings.

    Returns
    -------
    dict
        Finding → ids of measures or entries.
    """
    found: dict[str, set[str]] = {}
    for finding in state.open_findings():
        own, _goal, name = finding.claim.split("/")[:3]
        holder = workspace.plans.get(own)
        measure = next((one for one in holder.measures() if one.id == name), None) if holder else None
        if holder is None or measure is None:
            continue
        linked = (*holder.implements, *measure.implements)
        entries = {one.partition("/")[2] for one in linked if one.partition("/")[0] == plan.id}
        ids = {measure.id} if own == plan.id else {one for one in entries if one}
        if ids:
            found[finding.id] = ids
    return found


# ---- the page


def plan_diff_section(diff: PlanDiff) -> Markup:
    """Render the comparison as a part of another page, in both languages: that page shows one or the other.

    Parameters
    ----------
    diff : PlanDiff
        As `plan_diff` gives it.
    """
    template = _environment(diff).get_template("plan_diff_body.html.j2")
    prefix = f"{diff.comparison.new.id}."
    return Markup(template.render(box="div", heading="h4", prefix=prefix))  # noqa: S704 - rendered with its texts escaped


def render_plan_diff(diff: PlanDiff) -> str:
    """Render the comparison as one self-contained page with both languages side by side.

    Parameters
    ----------
    diff : PlanDiff
        As `plan_diff` gives it.

    Returns
    -------
    str
        HTML: the new version beside the old one (新旧対照表), what differs underlined; no script, no outside request.
    """
    return _environment(diff).get_template("plan_diff.html.j2").render(box="section", heading="h2", prefix="")


def _environment(diff: PlanDiff) -> Environment:
    unfounded = {id(change) for change in diff.without_evidence}
    environment = Environment(
        loader=PackageLoader("shinrai.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        t=_both,
        sides=_sides,
        plain=_plain,
        titles=_titles(diff.comparison),
        effects=EFFECTS,
        effect_words=EFFECT_WORDS,
        shapes=EFFECT_SHAPES,
        kinds=KIND_WORDS,
        parts=PART_WORDS,
        states=STATE_WORDS,
        state_shapes=STATE_SHAPES,
        debts=DEBT_WORDS,
        rules=RULES,
        unread=unread,
        certainties=CERTAINTIES,
        standings=STANDINGS,
        diff=diff,
        comparison=diff.comparison,
        counts=diff.comparison.effects(),
        unfounded=lambda change: id(change) in unfounded,
        used=sorted({one.rule for one in diff.comparison.changes}, key=list(RULES).index),
    )
    return environment


def _both(message: str, **values: object) -> Markup:
    """Write a text of the interface in Japanese and English, one after the other."""
    said = [
        escape(translate(message, code)).format(
            **{name: value.read(code) if isinstance(value, Text) else value for name, value in values.items()}
        )
        for code in LANGUAGES
    ]
    return Markup('<span lang="ja">{}</span> <span class="dim" lang="en">{}</span>').format(*said)


def _titles(comparison: Comparison) -> dict[str, Text]:
    """Give the titles of everything that changes can be about, those of the new version first."""
    found: dict[str, Text] = {}
    for plan, definitions in ((comparison.old, comparison.before), (comparison.new, comparison.after)):
        found[plan.id] = plan.title
        found.update((entry.id, entry.title) for entry in plan.entries())
        found.update((node.id, node.title) for node in plan.results)
        found.update((name, definition.title) for name, definition in definitions.items())
        for measure in plan.measures():
            found.update((milestone.id, milestone.title) for milestone in measure.milestones)
        for use in plan.uses:
            if use.indicator in definitions:
                found[use.name] = definitions[use.indicator].title
    return found


def _sides(before: Json, after: Json) -> tuple[Markup, Markup]:
    """Write the old and the new value for a table, what differs underlined."""
    if _is_text(before) or _is_text(after):
        return _texts(before or {}, after or {})
    return _plain(before), _plain(after)


def _is_text(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() <= {"ja", "en", "original", "translation"} and bool(value)


def _texts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Markup, Markup]:
    old, new = list[Markup](), list[Markup]()
    for code in LANGUAGES:
        one, other = before.get(code, ""), after.get(code, "")
        marked = _marked(one, other, code) if one and other else (escape(one), escape(other))
        for side, words in zip((old, new), marked, strict=True):
            if words:
                side.append(Markup('<p lang="{}">{}</p>').format(code, words))
    return Markup("").join(old), Markup("").join(new)


def _marked(before: str, after: str, language: Language) -> tuple[Markup, Markup]:
    """Underline what differs: characters in Japanese, words in English."""
    one, other = _TOKENS[language].findall(before), _TOKENS[language].findall(after)
    old, new = list[Markup](), list[Markup]()
    for kind, a, b, c, d in difflib.SequenceMatcher(a=one, b=other, autojunk=False).get_opcodes():
        was, now = "".join(one[a:b]), "".join(other[c:d])
        old.append(escape(was) if kind == "equal" or not was else Markup("<del>{}</del>").format(was))
        new.append(escape(now) if kind == "equal" or not now else Markup("<ins>{}</ins>").format(now))
    return Markup("").join(old), Markup("").join(new)


def _plain(value: Json) -> Markup:
    """Write a JSON value for a table."""
    if value is None:
        return Markup('<span class="dim">—</span>')
    if _is_text(value):
        return _texts(value, value)[0]
    if isinstance(value, dict):
        rows = [Markup("{}: {}").format(key, _plain(below)) for key, below in value.items()]
        return Markup("<br>").join(rows)
    if isinstance(value, list):
        return Markup("<br>").join(_plain(below) for below in value)
    return escape(f"{value:g}" if isinstance(value, float) else value)
