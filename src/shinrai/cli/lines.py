"""Verdicts in one line each, as the terminal shows them while measuring goes on."""

from __future__ import annotations

from shinrai.i18n import _
from shinrai.records import Commitment, Outcome, Verdict


def line(verdict: Verdict, commitment: Commitment) -> str:
    """Tell a verdict in one line: word, name, what was measured, n, calls, and by kind what was not measured.

    Where people's labels correct a judge, the estimate comes from few labels and many opinions of the judge: both
    numbers are named.
    """
    from shinrai.report.figures import measured  # noqa: PLC0415 - loaded only when the verb runs
    from shinrai.report.words import OUTCOMES, SHAPES, STATUS_WORDS  # noqa: PLC0415 - loaded only when the verb runs

    name = verdict.claim.rpartition("/")[2]
    value = measured(commitment, verdict) or "–"
    word = f"{SHAPES[verdict.status]} {_(STATUS_WORDS[verdict.status])}"
    counts = verdict.counts
    found: dict[Outcome, int] = {"invalid": counts.invalid, "blocked": counts.blocked, "error": counts.error}
    missing = "".join(f"  {_(OUTCOMES[kind])}={number}" for kind, number in found.items() if number)
    older = "  " + _("retrospective") if verdict.retrospective else ""
    return f"  {word:<16} {name:<28} {value}  {_numbers(verdict)}  {_('calls')}={verdict.calls}{missing}{older}"


def _numbers(verdict: Verdict) -> str:
    """Tell what the estimate comes from."""
    judge, total = verdict.details.get("judge"), verdict.counts.total
    if judge is None:
        return f"n={total}"
    return _("labels={labels}, replies judged={judged}").format(labels=judge["used"] + judge["flags"], judged=total)
