"""The words and shapes for states, so that colour is never the only sign. Written once, for page and terminal."""

from __future__ import annotations

from shinrai import i18n
from shinrai.records import Certainty, Commitment, Measured, Outcome, Reason, Status, Superiority
from shinrai.report.figures import promised

N_ = i18n.N_

STATUS_WORDS: dict[Status, str] = {
    "met": N_("met"),
    "violated": N_("violated"),
    "undecided": N_("undecided"),
    "not_measured": N_("not measured"),
    "stale": N_("stale"),
    "not_applicable": N_("not applicable"),
    "accepted": N_("accepted"),
}

STALE_WORDS: dict[str, str] = {"commitment": N_("changed since then"), "expired": N_("the evidence has expired")}
"""Why a verdict is stale, as `ClaimState.stale_because` has it, in few words."""

SHAPES: dict[Status, str] = {
    "met": "●",
    "violated": "▲",
    "undecided": "◆",
    "not_measured": "○",
    "stale": "◌",
    "not_applicable": "–",
    "accepted": "■",
}

STYLES: dict[Status, str] = {
    "met": "green",
    "violated": "red",
    "undecided": "yellow",
    "not_measured": "magenta",
    "stale": "bright_black",
    "not_applicable": "bright_black",
    "accepted": "cyan",
}
"""Colours in the terminal (rich)."""

REASONS: dict[Reason, str] = {
    "decided": N_("the evidence excludes the threshold"),
    "budget-spent": N_("the trial budget was spent before either side was proven"),
    "data-spent": N_("all data were used before either side was proven"),
    "futile": N_("nothing that the rest of its trials could show would have decided it"),
    "never-run": N_("it has never been run"),
    "target-unreachable": N_("the system could not be reached"),
    "target-failed": N_("the system stopped answering"),
    "nothing-usable": N_("no trial had a usable outcome"),
    "no-data": N_("there are no data"),
    "no-evidence": N_("nobody has brought the evidence"),
    "expired": N_("the evidence has expired"),
    "interrupted": N_("the run was interrupted"),
    "money-spent": N_("the money budget was spent before either side was proven"),
    "tokens-spent": N_("the token budget was spent before either side was proven"),
    "labels-needed": N_("people have not labelled enough replies yet (shinrai check label)"),
    "helper-failed": N_("the judge, or the system that plays the user, did not answer"),
    "plugin-failed": N_("a plug-in that it needs failed"),
}


OUTCOMES: dict[Outcome, str] = {
    "pass": N_("pass"),
    "fail": N_("fail"),
    "invalid": N_("unreadable"),
    "blocked": N_("blocked by the provider"),
    "error": N_("no reply"),
}

OUTCOME_SHAPES: dict[Outcome, str] = {"pass": "✓", "fail": "✗", "invalid": "?", "blocked": "⊘", "error": "!"}

OUTCOME_STYLES: dict[Outcome, str] = {
    "pass": "green",
    "fail": "red",
    "invalid": "yellow",
    "blocked": "yellow",
    "error": "magenta",
}
"""Colours in the terminal (rich)."""

EVIDENCE_KINDS = {
    "attestation": N_("document"),
    "observation": N_("observed value"),
    "import": N_("imported trials"),
}

NOT_WORSE: dict[Measured, str] = {
    "met": N_("no worse"),
    "violated": N_("worse than the margin"),
    "undecided": N_("not shown to be no worse"),
    "not_measured": N_("no margin was committed"),
}

DIRECTIONS: dict[Superiority, str] = {
    "better": N_("better"),
    "worse": N_("worse"),
    "undecided": N_("no difference shown"),
}

CERTAINTIES: dict[Certainty, str] = {
    "official": N_("official text"),
    "quoted": N_("as quoted by others"),
    "secondary": N_("from a secondary note"),
    "unverified": N_("not verified"),
}


def threshold_words(commitment: Commitment) -> str:
    """Write a threshold with its comparator, such as ``≤ 10%`` or ``2%–30%``; ``✓`` for what only has to exist."""
    return promised(commitment) or "✓"
