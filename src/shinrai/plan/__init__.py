"""Plan: which claim on which system, how deep, by when; written down before anything is measured."""

from __future__ import annotations

from shinrai.plan.calls import Effort, TrialSource
from shinrai.plan.committing import Outcome, commit
from shinrai.plan.designs import is_registered, register_designs
from shinrai.plan.notes import missing_claims
from shinrai.plan.promise import Origin
from shinrai.plan.resolution import resolve
from shinrai.plan.resolved import ClaimPlan, Note, Resolution
from shinrai.plan.rulings import PlannedClaim, planned_claims
from shinrai.plan.statement import render_threshold

__all__ = [
    "ClaimPlan",
    "Effort",
    "Note",
    "Origin",
    "Outcome",
    "PlannedClaim",
    "Resolution",
    "TrialSource",
    "commit",
    "is_registered",
    "missing_claims",
    "planned_claims",
    "register_designs",
    "render_threshold",
    "resolve",
]
