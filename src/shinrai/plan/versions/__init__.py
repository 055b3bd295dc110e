"""Versions of a plan: what changed from one to the next, and what that does to the promise."""

from __future__ import annotations

from shinrai.plan.versions.changes import EFFECTS, RULES, Change, Effect, Part, Rule
from shinrai.plan.versions.comparing import Comparison, Debt, carried_forward, compare, unread
from shinrai.plan.versions.patch import json_patch

__all__ = [
    "EFFECTS",
    "RULES",
    "Change",
    "Comparison",
    "Debt",
    "Effect",
    "Part",
    "Rule",
    "carried_forward",
    "compare",
    "json_patch",
    "unread",
]
