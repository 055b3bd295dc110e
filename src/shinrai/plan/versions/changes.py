"""What a change between two versions of a plan is, and by which rule it makes the promise stronger or weaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from shinrai.i18n import N_
from shinrai.records import ChangeKind, Json

Part: TypeAlias = Literal[
    "plan", "principle", "goal", "measure", "milestone", "node", "link", "indicator", "use", "open-question"
]
"""What was changed."""

Effect: TypeAlias = Literal["stronger", "weaker", "neutral", "unclear"]
"""What a change does to the promise."""

EFFECTS: Final[tuple[Effect, ...]] = ("weaker", "unclear", "stronger", "neutral")
"""In the order in which they ask for attention."""

Rule: TypeAlias = Literal[
    "D1-promise-added",
    "D2-promise-removed",
    "D3-done-before-removed",
    "D4-sooner",
    "D5-later",
    "D6-target-better",
    "D7-target-worse",
    "D8-distance",
    "D9-path",
    "D10-indicator",
    "D11-definition",
    "D12-nobody-answers",
    "D13-somebody-answers",
    "D14-owner",
    "D15-force",
    "D16-level",
    "D17-hedged",
    "D18-committed",
    "D19-words",
    "D20-place",
    "D21-parts",
    "D22-date-and-target",
    "D23-link",
    "D24-no-direction",
    "D25-text-not-read",
]

RULES: Final[dict[Rule, str]] = {
    "D1-promise-added": N_("a promise that was not there before makes the plan stronger"),
    "D2-promise-removed": N_("a promise that is no longer made makes the plan weaker"),
    "D3-done-before-removed": N_("what was done before it left the plan takes nothing away"),
    "D4-sooner": N_("the same thing by an earlier date is a stronger promise"),
    "D5-later": N_("the same thing by a later date is a weaker promise"),
    "D6-target-better": N_("a target moved to the better side, by the indicator’s direction, is a stronger promise"),
    "D7-target-worse": N_("a target moved to the worse side, by the indicator’s direction, is a weaker promise"),
    "D8-distance": N_("another baseline: the promise is as strong as the distance from it to the target"),
    "D9-path": N_(
        "a path is stronger where it is better in some period and worse in none, and weaker the other way round"
    ),
    "D10-indicator": N_("another indicator measures something else: whether that is more, no number can tell"),
    "D11-definition": N_(
        "another definition counts something else under the same name: old and new values do not compare"
    ),
    "D12-nobody-answers": N_("a promise nobody answers for is a weaker one"),
    "D13-somebody-answers": N_("a promise somebody answers for is a stronger one"),
    "D14-owner": N_("who answers for it is another matter than how much is promised"),
    "D15-force": N_("what binds more strongly is a stronger promise: statute, Cabinet decision, guideline, voluntary"),
    "D16-level": N_("an outcome promises more than an output, and an output more than an activity"),
    "D17-hedged": N_("words that leave it open (consider, seek to, where possible) have come in"),
    "D18-committed": N_("words that leave it open (consider, seek to, where possible) have gone"),
    "D19-words": N_("the words have changed: whether they promise more, a person has to read"),
    "D20-place": N_("another place or number in the plan promises neither more nor less"),
    "D21-parts": N_("a promise in several parts, or several in one, promises neither more nor less by that alone"),
    "D22-date-and-target": N_("target and date have both moved: what counts is the yearly pace that they ask for"),
    "D23-link": N_("how one thing should lead to another is reasoning, not a promise"),
    "D24-no-direction": N_("without one direction for both versions nobody can tell which of two values is better"),
    "D25-text-not-read": N_(
        "nobody has read the text of that version: what is not known of it may be there all the same"
    ),
}
"""Rule → why a change has its effect."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change between two versions.

    Parameters
    ----------
    kind : ChangeKind
    part : Part
        What was changed.
    id : str
        Its id in the new version; in the old one where it is gone.
    field : str
        Which field, empty where the whole thing is meant.
    before, after : JSON value
        None for nothing.
    effect : Effect
    rule : Rule
    related : tuple of str
        Ids on the other side: the parts of a split, what was merged, the goal it moved from and to.
    """

    kind: ChangeKind
    part: Part
    id: str
    effect: Effect
    rule: Rule
    field: str = ""
    before: Json = None
    after: Json = None
    related: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Give the change as JSON values."""
        found: dict[str, Json] = {
            "kind": self.kind,
            "part": self.part,
            "id": self.id,
            "effect": self.effect,
            "rule": self.rule,
        }
        if self.field:
            found["field"] = self.field
        return {**found, "before": self.before, "after": self.after, "related": list(self.related)}
