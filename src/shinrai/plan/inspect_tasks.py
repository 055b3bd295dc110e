"""Which tasks of Inspect a promise can rest on, and which systems they can be put to."""

from __future__ import annotations

from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.plan.rulings import PlannedClaim
from shinrai.records import Check, Column, Endpoint, Guard, Repeat, SystemVersion
from shinrai.source import did_you_mean, listing
from shinrai.workspace import TaskTold

__all__ = ["refused_task", "require_fitting"]

_MOST_EPOCHS = 20
_SCORE = "score."


def refused_task(claim: PlannedClaim, version: SystemVersion) -> str | None:
    """Say why a task of Inspect cannot be put to a system.

    Parameters
    ----------
    claim : PlannedClaim
        Whose check may run a task.
    version : SystemVersion
        The system under test.

    Returns
    -------
    str or None
        A sentence if Inspect would ask something else than the system: it reaches endpoints only, and knows no guards.
    """
    if claim.check.data is None or claim.check.data.inspect is None:
        return None
    values = {"claim": claim.path, "system": version.system.id}
    if not isinstance(version.system.model, Endpoint):
        return _("{claim}: Inspect reaches endpoints only, and {system} is none").format(**values)
    if any(isinstance(part, Guard) for part in version.system.stack):
        return _("{claim}: Inspect would ask the model of {system} past its guards").format(**values)
    return None


def require_fitting(check: Check, told: TaskTold) -> None:
    """Make sure that a loaded task measures the system, and has the score that a check reads.

    Parameters
    ----------
    check : Check
        That runs it.
    told : TaskTold
        What it is.

    Raises
    ------
    UsageError
        If the task asks a model of its own, lets the system grade itself, has no such score, or runs each sample more
        often than can be pinned.
    """
    problem, hint = _misfit(check, told)
    if problem is not None:
        message = _("the check {check} cannot use the task {task}: {reason}")
        raise UsageError("plan.task-refused", message.format(check=check.id, task=told.name, reason=problem), hint=hint)


def _misfit(check: Check, told: TaskTold) -> tuple[str | None, str | None]:
    if told.own_model is not None:
        model = told.own_model
        return _("it asks a model of its own, {model}, and not the system").format(model=model), None
    if not isinstance(check.variants, Repeat) and told.epochs > _MOST_EPOCHS:
        return _("it runs each sample {count} times").format(count=told.epochs), _(
            "say how often in the check: `variants: {type: repeat, times: 5}`"
        )
    return _of_score(check, told)


def _of_score(check: Check, told: TaskTold) -> tuple[str | None, str | None]:
    """Look for the score that is read; a score of several values has columns ``score.NAME.KEY``."""
    if not isinstance(check.scorer, Column) or not check.scorer.column.startswith(_SCORE):
        return None, None
    wanted = check.scorer.column
    found = [one for one in told.scorers if f"{wanted}.".startswith(f"{_SCORE}{one.name}.")]
    if not found:
        names = [f"{_SCORE}{one.name}" for one in told.scorers]
        problem = _("it has no score {name}; it has {names}").format(name=wanted, names=listing(names) or "-")
        return problem, did_you_mean(wanted, names)
    if any(one.asks_a_model for one in found):
        hint = _("give its scorer another `model`, or read the replies with a scorer of Shinrai")
        return _("its score {name} lets the system grade itself").format(name=wanted), hint
    return None, None
