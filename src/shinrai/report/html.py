"""One self-contained page: what was promised, what came out, what was changed, and every failing reply.

The page is a function of the ledger and the workspace files alone: no clock, no random number, so the same ledger
gives the same bytes. It carries both languages, needs no script and makes no outside request.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from shinrai.check.changed import changed_since_plan
from shinrai.check.scorers.details import explain
from shinrai.i18n import LANGUAGES, Language, translate
from shinrai.ledger.projection import ClaimState, Judgement, State
from shinrai.plan.exposure import Concentration
from shinrai.records import Id, Outcome, Pairing, Plan, Role, Text, Verdict
from shinrai.report import figures, requirements, stack_words
from shinrai.report.deciding import tier_said
from shinrai.report.evidence import Exhibit, exhibits, visible
from shinrai.report.gate_words import bar_words, gate_words
from shinrai.report.judges import judge_sheet
from shinrai.report.plans import template_values
from shinrai.report.provenance import pieces
from shinrai.report.register import register
from shinrai.report.sections import OwnSection, own_sections
from shinrai.report.stack import overview
from shinrai.report.stack_picture import concentration_picture, stack_picture
from shinrai.report.story import chapter, last_day, promise_of, turns
from shinrai.report.tree import ruled_out, tree
from shinrai.report.versions import contests, difference, forest, pairings
from shinrai.report.words import (
    CERTAINTIES,
    DIRECTIONS,
    EVIDENCE_KINDS,
    NOT_WORSE,
    OUTCOMES,
    REASONS,
    SHAPES,
    STATUS_WORDS,
    threshold_words,
)
from shinrai.rules.applying import risk
from shinrai.rules.gates import Due, stage_gates
from shinrai.workspace import Workspace, stack_graph

_DAYS = 30
"""Working days within which the page asks what could be replaced."""
_MOST_POINTS = 30
"""Single points of failure that the page lists."""
_TWICE = Markup('<span lang="en">{}</span><span lang="ja">{}</span>')
_FAILING: frozenset[Outcome] = frozenset({"fail", "invalid", "blocked", "error"})


def both(message: str, **values: object) -> Markup:
    """Write a text of the interface in both languages; values are escaped, and read in each where they are texts."""
    english, japanese = (
        escape(translate(message, code)).format(
            **{name: value.read(code) if isinstance(value, Text) else value for name, value in values.items()}
        )
        for code in LANGUAGES[::-1]
    )
    return _TWICE.format(english, japanese)


def text(value: Text | None) -> Markup:
    """Write a text of the workspace in both languages, each falling back on the other."""
    if value is None:
        return Markup()
    return _TWICE.format(value.read("en"), value.read("ja"))


def detail(found: str) -> Markup:
    """Write what a scorer found in both languages; what it found it in stays as it was."""
    return _TWICE.format(found, explain(found, "ja"))


def in_both(words: Callable[[Any, Language], str]) -> Callable[[Any], Markup]:
    """Write what is written for one language at a time in both."""

    def written(value: Any) -> Markup:  # noqa: ANN401 - whatever `words` takes
        return Markup('<span lang="en">{}</span><span lang="ja">{}</span>').format(
            words(value, "en"), words(value, "ja")
        )

    return written


def bar_lines(due: Due) -> list[tuple[str, Markup]]:
    """Write the claims that keep a gate closed in both languages, each with its shape."""
    pairs = zip(bar_words(due, "en"), bar_words(due, "ja"), strict=True)
    return [(shape, _TWICE.format(english, japanese)) for (shape, english), (_shape, japanese) in pairs]


def render(workspace: Workspace, state: State, own: Sequence[OwnSection] = ()) -> str:
    """Render the page.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of the ledger that the page is about.
    own : sequence of OwnSection
        Sections of one's own, for its end.

    Returns
    -------
    str
        HTML.
    """
    environment = Environment(
        loader=PackageLoader("shinrai.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        t=both,
        text=text,
        tier_said=tier_said,
        detail=detail,
        stack_words=stack_words,
        most_points=_MOST_POINTS,
        strip=partial(_strip, state),
        path=partial(_path, state),
        judge_sheet=judge_sheet,
        number=figures.number,
        interval=figures.interval,
        moment=moment,
        visible=visible,
        role=partial(_role, workspace),
        system_title=partial(_system_title, workspace),
        claim_title=partial(_claim_title, _titles(state)),
        ruled_out=ruled_out,
        promise_of=partial(promise_of, state),
        chapter=partial(chapter, state),
        shapes=SHAPES,
        words=STATUS_WORDS,
        reasons=REASONS,
        outcomes=OUTCOMES,
        certainties=CERTAINTIES,
        threshold_words=threshold_words,
        requirement_words=requirements.REQUIREMENT_WORDS,
        requirement_shapes=requirements.REQUIREMENT_SHAPES,
        relationships=requirements.RELATIONSHIPS,
        ordered=requirements.ordered,
        pieces=pieces,
        gate_words=in_both(gate_words),
        bar_lines=bar_lines,
        evidence_kinds=EVIDENCE_KINDS,
        directions=DIRECTIONS,
        not_worse=NOT_WORSE,
        difference=difference,
        forest=_forest,
        exhibits=partial(_exhibits, workspace.root, state),
    )
    today = last_day(state)
    claims = state.claims(today)
    systems = [state.effective(system) for system in workspace.systems.values()]
    stack = overview(stack_graph(systems, workspace.components), state, today, _DAYS)
    rule_books = requirements.matrix(workspace, state, today)
    return environment.get_template("report.html.j2").render(
        workspace=workspace,
        state=state,
        today=today,
        claims=claims,
        promised=[claim for claim in claims if claim.promise],
        by_key={claim.key: claim for claim in claims},
        unplanned=changed_since_plan(workspace, state, state.promises.values()),
        turns=turns(state),
        contests=contests(state),
        own_sections=own,
        pairings=pairings(workspace.root, state),
        trees=tree(workspace.plans.values(), {s.id: s.title for s in workspace.systems.values()}, state, today),
        higher=_higher(workspace.all_plans),
        register=register(
            systems,
            state,
            claims,
            {one.id: risk(workspace, one, today) for one in workspace.systems.values()},
            stage_gates(workspace, state, today),
        ),
        stack=stack,
        stack_picture=Markup(stack_picture(stack)),  # noqa: S704 - its texts are escaped
        hands_picture=partial(_hands, len(systems)),
        matrix=rule_books,
        requirement_titles={line.ref: line.requirement.title for row in rule_books.rows for line in row.lines},
        **template_values(workspace, state, today),
    )


def write(workspace: Workspace, state: State, out: Path) -> list[OwnSection]:
    """Write the page to a file, whole or not at all; give the sections of one's own that could not be made."""
    own = own_sections(workspace, state, last_day(state))
    page = render(workspace, state, own)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=out.parent, delete=False) as file:
        file.write(page)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(out)
    return [one for one in own if one.section is None]


def moment(at: str) -> str:
    """Write a time of the ledger to the minute; the ledger itself keeps it in full."""
    return f"{at[:10]} {at[11:16]} UTC"


def _titles(state: State) -> dict[str, Text]:
    """Find a title for each claim that was ever promised of any system: inapplicable claims have none of their own."""
    return {
        promises[-1].commitment.claim: promises[-1].commitment.title for promises in state.history.values() if promises
    }


def _claim_title(titles: Mapping[str, Text], claim: ClaimState) -> Markup:
    title = claim.promise.commitment.title if claim.promise else titles.get(claim.ruling.claim)
    return text(title) if title else escape(claim.ruling.claim.rpartition("/")[2])


def _system_title(workspace: Workspace, system: Id) -> Markup:
    found = workspace.systems.get(system)
    return text(found.title) if found else escape(system)


def _role(workspace: Workspace, name: Role) -> Markup:
    """Write the title of a role; its name where the workspace does not define it."""
    return next((text(role.title) for role in workspace.settings.roles if role.id == name), escape(name))


def _strip(state: State, judgement: Judgement) -> Markup:
    """Draw a verdict on the axis that all verdicts on this claim share, so that turns can be compared by eye."""
    told, commitment = chapter(state, judgement.verdict.key), promise_of(state, judgement).commitment
    verdicts = [one.verdict for one in told.judgements]
    # A threshold may have been changed on the way: each verdict is drawn against the one it was made for.
    axes = [
        figures.axis(promise.commitment, verdicts)
        for promise in told.promises
        if promise.commitment.metric == commitment.metric
    ]
    ends = min(low for low, _ in axes), max(high for _, high in axes)
    return Markup(figures.strip(commitment, judgement.verdict, ends))  # noqa: S704 - drawn from numbers


def _path(state: State, judgement: Judgement) -> Markup:
    return Markup(figures.path(promise_of(state, judgement).commitment, judgement.verdict))  # noqa: S704 - as above


def _hands(systems: int, found: Concentration) -> Markup:
    unknown = Text(en=translate("not stated", "en"), ja=translate("not stated", "ja"))
    return Markup(concentration_picture(found, systems, unknown))  # noqa: S704 - its texts are escaped


def _forest(found: list[Pairing], among: list[Pairing]) -> Markup:
    return Markup(forest(found, among))  # noqa: S704 - drawn from numbers


def _exhibits(root: Path, state: State, verdict: Verdict) -> list[Exhibit]:
    return exhibits(root, state, verdict, _FAILING)


def _higher(plans: Mapping[Id, Plan]) -> dict[str, Any]:
    """Index the entries of higher plans by the name under which a workspace implements them."""
    return {name: (plan, entry) for plan in plans.values() for name, entry in plan.named().items()}
