"""Is it an outcome? Rules that read a plan and say where to look; a person decides."""

from __future__ import annotations

from shinrai.plan.lint.linting import Linted, lint
from shinrai.plan.lint.outcomes import Covered, Observed
from shinrai.plan.lint.rules import RULES, LintFinding, Rule, RuleId, Severity

__all__ = ["RULES", "Covered", "LintFinding", "Linted", "Observed", "Rule", "RuleId", "Severity", "lint"]
