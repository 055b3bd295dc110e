"""How deep a claim goes: what the risk of a system changes in what its plan promises."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shinrai.plan.rulings import PlannedClaim
from shinrai.records import ClaimUse, DepthRule


@dataclass(frozen=True, slots=True)
class Deepened:
    """A claim as it is promised of a system of some depth.

    Parameters
    ----------
    claim : PlannedClaim
        With the values that hold.
    by_risk : frozenset of str
        Fields of the commitment that the depth decided.
    """

    claim: PlannedClaim
    by_risk: frozenset[str] = frozenset()
    repeat_days: int | None = None


def deepen(claim: PlannedClaim, depth: DepthRule | None) -> Deepened:
    """Apply a depth to a claim.

    What the plan itself states is only ever made stricter. What it leaves to the check is set by the depth, so that a
    fast lane may also be lighter than the catalog.

    Parameters
    ----------
    claim : PlannedClaim
        As the plan has it.
    depth : DepthRule or None
        None where no risk scheme is in use: nothing changes.

    Returns
    -------
    Deepened
    """
    if depth is None:
        return Deepened(claim)
    changed = {**_alpha(claim, depth), **_budget(claim, depth), **_threshold(claim, depth)}
    by_risk = set(changed)
    if depth.repeat_days is not None:
        by_risk.add("repeat_days")
    use = ClaimUse.model_validate({**dict(claim.use), **changed})
    return Deepened(replace(claim, use=use), frozenset(by_risk), depth.repeat_days)


def _alpha(claim: PlannedClaim, depth: DepthRule) -> dict[str, float]:
    stated = claim.use.alpha
    if depth.alpha is None or claim.check.metric in {"attested", "observed"}:
        return {}
    if stated is None:
        return {"alpha": depth.alpha} if depth.alpha != claim.check.alpha else {}
    return {"alpha": depth.alpha} if depth.alpha < stated else {}


def _budget(claim: PlannedClaim, depth: DepthRule) -> dict[str, int]:
    budget = claim.use.budget or claim.check.budget
    if depth.trials is not None and budget is not None and budget < depth.trials:
        return {"budget": depth.trials}
    if depth.most_trials is not None and claim.use.budget is None and (budget is None or budget > depth.most_trials):
        return {"budget": depth.most_trials} if claim.check.data is not None else {}
    return {}


def _threshold(claim: PlannedClaim, depth: DepthRule) -> dict[str, float]:
    now = claim.check.threshold if claim.use.threshold is None else claim.use.threshold
    limit = next((due.threshold for due in depth.claims if due.check == claim.check.id), None)
    if limit is None or not isinstance(now, float):
        return {}
    stricter = min(now, limit) if claim.check.comparator == "at-most" else max(now, limit)
    return {"threshold": stricter} if stricter != now else {}
