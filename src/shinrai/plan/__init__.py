"""Plan: which claim on which system, how deep, by when; written down before anything is measured."""

from __future__ import annotations

from shinrai.plan.calls import Effort, TrialSource
from shinrai.plan.designs import is_registered, register_designs
from shinrai.plan.promise import Origin
from shinrai.plan.resolution import ClaimPlan, Note, Outcome, Resolution, commit, missing_claims, resolve
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
