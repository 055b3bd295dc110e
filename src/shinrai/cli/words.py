"""How states of claims are printed in the terminal. Long texts are folded, never cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from shinrai.i18n import _, current_language
from shinrai.ledger.projection import ClaimState, Run
from shinrai.records import STATUSES, Commitment, Counts, Status, Verdict
from shinrai.report.family import Family
from shinrai.report.figures import measured as estimate_words
from shinrai.report.tree import Node
from shinrai.report.words import (
    N_,
    OUTCOME_SHAPES,
    OUTCOME_STYLES,
    OUTCOMES,
    REASONS,
    SHAPES,
    STALE_WORDS,
    STATUS_WORDS,
    STYLES,
    threshold_words,
)

_ENDS = {
    "complete": N_("complete"),
    "target-failed": N_("the system stopped answering"),
    "superseded": N_("given up, the promises have changed"),
}


def columns(*titles: str, right: Sequence[str] = (), whole: Sequence[str] = ()) -> Table:
    """Begin a table that folds what is too wide.

    Parameters
    ----------
    *titles : str
        Of the columns, in the language in use.
    right : sequence of str
        Titles of columns with numbers.
    whole : sequence of str
        Titles of columns with names that people copy: they stay in one piece while there is room for that.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title in titles:
        justify: JustifyMethod = "right" if title in right else "left"
        table.add_column(title, overflow="fold", justify=justify, no_wrap=title in whole)
    return table


def status_badge(status: Status) -> Text:
    """Give shape and word of a status, coloured where the terminal has colour."""
    return Text(f"{SHAPES[status]} {_(STATUS_WORDS[status])}", style=STYLES[status])


def badge(state: ClaimState) -> Text:
    """Give shape and word of a state, coloured where the terminal has colour."""
    return status_badge(state.status)


def state_table(states: Sequence[ClaimState]) -> None:
    """Print one line for each claim under its system: state, promise, estimate with interval, n."""
    systems: dict[str, list[ClaimState]] = {}
    for state in states:
        if state.status != "not_applicable":
            systems.setdefault(state.ruling.system, []).append(state)
    for system, own in systems.items():
        click.secho(system, bold=True)
        table = columns(_("state"), _("claim"), _("promise"), _("measured"), "n", right="n")
        for state in own:
            table.add_row(badge(state), title_of(state), *measured(state))
        Console().print(table)


def print_tree(node: Node) -> None:
    """Print a plan with its goals, measures, systems and claims; what does not apply takes one line."""
    top = Tree(_label(node))
    _grow(top, node)
    Console().print(top)


def _label(node: Node) -> Text:
    text = Text(node.title.read(current_language()), style="bold" if node.kind == "plan" else "")
    for status in STATUSES:
        if node.counts.get(status):
            text.append(f"  {SHAPES[status]}{node.counts[status]}", style=STYLES[status])
    return text


def _grow(branch: Tree, node: Node) -> None:
    for child in node.children:
        if child.kind == "system" and child.counts.keys() == {"not_applicable"}:
            branch.add(_apart(len(child.claims), child.title.read(current_language())))
        else:
            _grow(branch.add(_label(child)), child)
    for claim in node.claims:
        if claim.status != "not_applicable":
            promise, value, n = measured(claim)
            leaf = Text.assemble(badge(claim), "  ", title_of(claim), "  ", (f"{promise}  {value}", "dim"))
            leaf.append(f"  n={n}" if n.isdecimal() else f"  {n}", style="dim")
            if claim.stale_because is not None:
                leaf.append("  " + _(STALE_WORDS[claim.stale_because]), style="dim")
            branch.add(leaf)
    apart = [title_of(claim) for claim in node.claims if claim.status == "not_applicable"]
    if apart:
        branch.add(_apart(len(apart), ", ".join(apart)))


def _apart(count: int, what: str) -> Text:
    return Text(do_not_apply(count, what), style=STYLES["not_applicable"])


def runs_table(runs: Sequence[tuple[Run, int | None]]) -> None:
    """Print one line for each run, with the number of the system's version."""
    calls, claims = _("calls"), _("claims")
    titles = (_("run"), _("system"), _("began (UTC)"), claims, calls, _("end"))
    table = columns(*titles, right=(calls, claims))
    for run, version in runs:
        began = run.at[:16].replace("T", " ")
        count = str(run.finished.calls) if run.finished else "–"
        end = _(_ENDS[run.finished.end]) if run.finished else _("not ended")
        promised = str(len(run.started.commitments))
        system = Text.assemble(run.started.system, (f" v{version}" if version else "", "dim"))
        table.add_row(run.started.run, system, began, promised, count, end)
    Console().print(table)


def run_table(claims: Sequence[tuple[Commitment, Verdict | None]]) -> None:
    """Print how the trials of each claim of a run ended, in counts."""
    table = columns(_("verdict"), _("claim"), _("trials"), _("measured"))
    for commitment, verdict in claims:
        name = commitment.claim.rpartition("/")[2]
        title = Text.assemble(commitment.title.read(current_language()), "\n", (name, "dim"))
        if verdict is None:
            table.add_row("–", title)
            continue
        value = estimate_words(commitment, verdict) or _(REASONS[verdict.reason])
        table.add_row(status_badge(verdict.status), title, tally(verdict.counts), value)
    Console().print(table)
    legend = [
        Text.assemble((OUTCOME_SHAPES[one], OUTCOME_STYLES[one]), f" {_(word)}") for one, word in OUTCOMES.items()
    ]
    Console().print(Text("  ").join(legend), style="dim")


def family_words(family: Family) -> str:
    """Say which verdicts of a table hold all at once."""
    found: dict[Status, tuple[str, ...]] = {"violated": family.violated, "met": family.met}
    held = [f"{_(STATUS_WORDS[status])}: {', '.join(names)}" for status, names in found.items() if names]
    said = _(
        "Each verdict by itself is wrong with probability at most its error level. "
        "Of all {count} read together, with probability at most {alpha} that any is wrong: {held}."
    )
    return said.format(count=family.size, alpha=f"{family.alpha:g}", held="; ".join(held) or _("none"))


def tally(counts: Counts) -> Text:
    """Write how trials ended, without the ways in which none did."""
    ended = zip(OUTCOMES, (counts.passed, counts.failed, counts.invalid, counts.blocked, counts.error), strict=True)
    words = [Text(f"{OUTCOME_SHAPES[outcome]} {n}", style=OUTCOME_STYLES[outcome]) for outcome, n in ended if n]
    return Text("  ").join(words)


def title_of(state: ClaimState) -> str:
    """Give the title of a claim in the language in use."""
    if state.promise:
        return state.promise.commitment.title.read(current_language())
    return state.ruling.claim.rpartition("/")[2]


def measured(state: ClaimState) -> tuple[str, str, str]:
    """Give promise, measured value with interval (or the reason for none), and n; of a judge both counts."""
    if state.promise is None:
        return "", _(REASONS[state.reason]) if state.reason else "", ""
    commitment = state.promise.commitment
    promise = threshold_words(commitment)
    verdict = state.judgement.verdict if state.judgement else None
    if verdict is None or verdict.estimate is None:
        return promise, _(REASONS[state.reason]) if state.reason else "", ""
    value = estimate_words(commitment, verdict)
    if verdict.retrospective:  # wherever it is shown: the data are older than the promise
        value += " (" + _("retrospective") + ")"
    judge = verdict.details.get("judge") or {}
    if "labelled" in judge:
        return promise, value, _("{judged} judged, {labelled} labelled").format(**judge)
    return promise, value, str(verdict.counts.total)


def do_not_apply(count: int, what: str) -> str:
    """Say in one line how many claims do not apply, and to what or which ones."""
    if count == 1:
        return "– " + _("1 does not apply: {what}").format(what=what)
    return "– " + _("{count} do not apply: {what}").format(count=count, what=what)


def counts_line(states: Sequence[ClaimState]) -> str:
    """Count the claims by state, in words; together they are all claims given."""
    counts = Counter(state.status for state in states)
    words = [f"{counts[status]} {_(STATUS_WORDS[status])}" for status in STATUSES if counts[status]]
    return click.style(" · ".join(words), bold=True)
