"""How good a judge was found to be: its verdicts against people's labels, and its estimate before and after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shinrai.records import Commitment, Judge, Verdict
from shinrai.report.figures import Scale, axis, measured, number, thresholds

_WIDTH, _ROW, _PAD = 320.0, 20.0, 8.0


@dataclass(frozen=True, slots=True)
class JudgeSheet:
    """What a verdict says about its judge, ready to be shown.

    Parameters
    ----------
    use : Judge
        The scorer as it was committed.
    rows : tuple
        For each label of people (pass, fail): the replies that the judge passed, failed and could not be read on.
    quality : dict
        As the verdict has it; empty where nobody has labelled anything.
    figure : str
        SVG: the judge's own estimate above the corrected one, on one axis; empty where one of them is missing.
    alone, corrected : str
        The two estimates in words, the corrected one with its interval; empty where there is no figure.
    """

    use: Judge
    rows: tuple[tuple[str, int, int, int], ...]
    quality: dict[str, Any]
    figure: str
    alone: str = ""
    corrected: str = ""


def judge_sheet(commitment: Commitment, verdict: Verdict) -> JudgeSheet | None:
    """Gather what a verdict says about its judge; None where none judged."""
    use = commitment.scorer.use if commitment.scorer else None
    if not isinstance(use, Judge):
        return None
    quality = verdict.details.get("judge") or {}
    table = quality.get("table", {})
    rows = tuple(
        (label, table[f"pass-{label}"], table[f"fail-{label}"], table[f"invalid-{label}"])
        for label in ("pass", "fail")
        if table
    )
    raw = quality.get("raw")
    if raw is None or verdict.estimate is None or verdict.lower is None or verdict.upper is None:
        return JudgeSheet(use, rows, quality, "")
    alone = raw if commitment.metric == "failure-rate" else 1.0 - raw
    figure = _figure(commitment, verdict, alone, (verdict.estimate, verdict.lower, verdict.upper))
    return JudgeSheet(use, rows, quality, figure, number(alone, commitment), measured(commitment, verdict))


def _figure(commitment: Commitment, verdict: Verdict, alone: float, found: tuple[float, float, float]) -> str:
    estimate, lower, upper = found
    low, high = axis(commitment, [verdict])
    x = Scale(low, max(high, alone), _PAD, _WIDTH - _PAD)
    height = 2 * _ROW + 6
    limits = "".join(
        f'<line class="limit" x1="{x(limit)}" x2="{x(limit)}" y1="2" y2="{height - 4:g}"/>'
        for limit in thresholds(commitment)
    )
    left, right = x(lower), x(upper)
    label = f"{number(alone, commitment)} → {measured(commitment, verdict)}"
    return (
        f'<svg class="strip" viewBox="0 0 {_WIDTH:g} {height:g}" role="img" aria-label="{label}">{limits}'
        f'<rect class="raw" x="{x(alone) - 4:g}" y="{_ROW / 2 - 4:g}" width="8" height="8"/>'
        f'<rect class="span {verdict.status}" x="{left}" y="{1.5 * _ROW - 5:g}" '
        f'width="{round(right - left, 1)}" height="10"/>'
        f'<circle class="{verdict.status}" cx="{x(estimate)}" cy="{1.5 * _ROW:g}" r="4"/></svg>'
    )
