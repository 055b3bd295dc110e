"""One claim on one system, turned into a promise that can be written down before anything is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

from shinrai.i18n import _
from shinrai.plan.data import PinnedData
from shinrai.plan.rulings import PlannedClaim
from shinrai.plan.statement import render_statement
from shinrai.plugins import choose
from shinrai.records import (
    DIALOGUE_VERSION,
    SCORER_VERSIONS,
    Check,
    Commitment,
    CommittedDialogue,
    CommittedJudge,
    CommittedScorer,
    Dialogue,
    Judge,
    Metric,
    PluginScorer,
    Repeat,
    ScorerUse,
    SystemVersion,
    Text,
    digest,
)
from shinrai.workspace import Workspace

Origin: TypeAlias = Literal["claim", "measure", "catalog", "workspace", "settings", "data", "system", "shinrai", "risk"]
"""Where a value of a promise was decided.

claim      set by the plan, at the claim itself
measure    set by the plan, at the measure
catalog    inherited from a check that Shinrai ships
workspace  inherited from a check of one's own
settings   ``shinrai.yaml``
data       follows from the data
system     follows from the version of the system
shinrai    follows from the version of Shinrai (its scorers)
risk       follows from the risk of the system
"""

SAMPLED: tuple[Metric, ...] = ("failure-rate", "pass-rate", "rate-ratio", "rate-difference", "rate-band")
"""The metrics that are measured by trials."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A promise and where each of its values comes from.

    Parameters
    ----------
    origins : mapping
        Field of the commitment → origin, for the fields that have a value.
    """

    commitment: Commitment
    origins: Mapping[str, Origin]


@dataclass(frozen=True, slots=True)
class Helping:
    """The versions of the systems that help to measure a claim: who judges, and who drives its dialogues."""

    judge: SystemVersion | None = None
    driver: SystemVersion | None = None


def draft(
    claim: PlannedClaim,
    version: SystemVersion,
    data: PinnedData | None,
    workspace: Workspace,
    helping: Helping | None = None,
) -> Drafted:
    """Write out the promise that a claim makes about a version of a system.

    Parameters
    ----------
    claim : PlannedClaim
        To be looked at.
    version : SystemVersion
        The version it is about.
    data : PinnedData or None
        None for claims that are not measured by trials.
    workspace : Workspace
        As loaded.
    helping : Helping, optional
        What helps to measure it.

    Returns
    -------
    Drafted
    """
    check, use = claim.check, claim.use
    inherited: Origin = "workspace" if check.id in workspace.own_checks else "catalog"
    threshold = _threshold(claim)
    wanted = use.budget or check.budget
    rows = data.committed.items if data else 0
    due = use.due or claim.measure.due
    helping = helping or Helping()
    title, statement = _about_dialogues(check, threshold)
    commitment = Commitment(
        claim=claim.path,
        system=version.system.id,
        fingerprint=version.fingerprint,
        context=digest(version.system.context(check.basis)),
        check=check.id,
        check_version=check.version,
        title=title,
        statement=statement,
        metric=check.metric,
        comparator=check.comparator,
        threshold=threshold,
        alpha=_alpha(claim),
        budget=min(wanted or rows, rows),
        population=check.population if data else "evidence",
        order_seed=workspace.settings.order_seed,
        data=data.committed if data else None,
        scorer=_pinned(check.scorer, helping.judge, workspace.root),
        groups=check.groups,
        variants=check.variants or _epochs(data),
        dialogue=_pinned_dialogue(check.dialogue, helping.driver),
        missing=check.missing,
        blocked=check.blocked,
        margin=check.margin,
        subject=check.subject,
        answers=check.answers,
        due=due,
    )
    origins: dict[str, Origin] = dict.fromkeys(commitment.to_json(), inherited)
    origins |= {"claim": "claim", "check": "claim", "order_seed": "settings", "system": "system"}
    origins |= {"fingerprint": "system", "context": "system", "data": "data"}
    origins["threshold"] = inherited if use.threshold is None else "claim"
    origins["alpha"] = inherited if use.alpha is None else "claim"
    origins["budget"] = _origin_of_budget(claim, rows, inherited)
    if use.languages:
        origins |= {"data": "claim", "title": "claim", "statement": "claim"}
    origins["due"] = "measure" if use.due is None else "claim"
    return Drafted(commitment, {name: origins[name] for name in commitment.to_json()})


def _epochs(data: PinnedData | None) -> Repeat | None:
    """Give the repetitions that a task of Inspect makes on its own: they are one trial."""
    return Repeat(type="repeat", times=data.epochs) if data is not None and data.epochs > 1 else None


def changed_fields(before: Commitment, after: Commitment) -> tuple[str, ...]:
    """Name the fields in which two promises differ, in the order of the record."""
    return tuple(name for name in Commitment.model_fields if getattr(before, name) != getattr(after, name))


def untestable(claim: PlannedClaim) -> str | None:
    """Say why no number of trials could ever prove or break a claim.

    Parameters
    ----------
    claim : PlannedClaim
        To be looked at.

    Returns
    -------
    str or None
        A sentence if the error level is not in (0, 0.5], a rate is promised to be 0 or 1, a ratio is not above 0, or
        the edges of a band are not in order strictly between 0 and 1. None for everything that can be tested, and
        for claims that are not measured by trials.
    """
    metric, threshold, alpha = claim.check.metric, _threshold(claim), _alpha(claim)
    if metric not in SAMPLED:
        return None
    if not 0 < alpha <= 0.5:
        return _("{claim}: the error level is {alpha}; it must be above 0 and at most 0.5").format(
            claim=claim.path, alpha=alpha
        )
    edges = threshold if isinstance(threshold, tuple) else (threshold or 0.0,)
    top = math.inf if metric == "rate-ratio" else 1.0
    if all(low < high for low, high in pairwise((0.0, *edges, top))):
        return None
    return _("{claim}: no number of trials can prove or break a {metric} of {threshold}").format(
        claim=claim.path, metric=metric, threshold=" – ".join(f"{edge:g}" for edge in edges)
    )


def _threshold(claim: PlannedClaim) -> float | tuple[float, float] | None:
    return claim.check.threshold if claim.use.threshold is None else claim.use.threshold


def _alpha(claim: PlannedClaim) -> float:
    return claim.check.alpha if claim.use.alpha is None else claim.use.alpha


def _origin_of_budget(claim: PlannedClaim, rows: int, inherited: Origin) -> Origin:
    wanted = claim.use.budget or claim.check.budget
    if wanted is None or wanted > rows:
        return "data"
    return "claim" if claim.use.budget else inherited


def _about_dialogues(check: Check, threshold: float | tuple[float, float] | None) -> tuple[Text, Text]:
    statement = render_statement(check.statement, check.metric, threshold)
    return check.dialogue.qualify(check.title, statement) if check.dialogue else (check.title, statement)


def _pinned_dialogue(use: Dialogue | None, driver: SystemVersion | None) -> CommittedDialogue | None:
    if use is None:
        return None
    return CommittedDialogue(use=use, version=DIALOGUE_VERSION, driver=driver.fingerprint if driver else None)


def _pinned(use: ScorerUse | None, judge: SystemVersion | None, root: Path) -> CommittedScorer | None:
    if use is None:
        return None
    pinned = None
    if isinstance(use, Judge) and judge is not None:
        pinned = CommittedJudge(system=judge.system.id, fingerprint=judge.fingerprint)
    plugin = choose("scorer", use.name, root).plugin if isinstance(use, PluginScorer) else None
    return CommittedScorer(use=use, version=SCORER_VERSIONS[use.id], judge=pinned, plugin=plugin)
