"""Scorers: rules that read the replies of one trial and say pass, fail, or why neither.

One file per scorer, one page per scorer in ``docs/scorers``. Every rule is a pure function of the item, the requests
and the replies: no clock, no chance, no network, so that the same replies always get the same scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from shinrai.check.scorers.details import N_, detail, explain
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.check.scorers.replies import unmeasured
from shinrai.check.scorers.samples import of_samples
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Call, Commitment, Item, Score, ScorerUse

__all__ = ["Context", "Request", "ScoreFunction", "explain", "score_of", "scorer"]

FAILED = N_("the scorer failed on this reply")

_MODULES = {
    "exact": "exact",
    "includes": "includes",
    "regex": "regex",
    "json-schema": "json_schema",
    "refusal": "refusal",
    "personal-data": "personal_data",
    "language": "language",
    "counterfactual": "counterfactual",
    "consistency": "consistency",
    "prediction": "prediction",
    "same-prediction": "same_prediction",
    "column": "column",
    "judge": "judge",
    "anchor": "anchor",
    "plugin": "plugin",
}


def scorer(use: ScorerUse, context: Context) -> ScoreFunction:
    """Build the scoring function of a check. Imports only the module that this scorer needs.

    Parameters
    ----------
    use : ScorerUse
        The scorer with its parameters.
    context : Context
        What it may know of the system.

    Returns
    -------
    callable
        ``(item, requests, calls) -> Score``. Requests and calls of the trial in the same order; both empty for
        imported rows. A trial with a call that ended in ``error`` is an error (with the call's kind of error as the
        detail), one with a call that was ``blocked`` is blocked; no rule looks at the other replies of such a trial.
        The function raises nothing on any reply, whatever it holds: should a rule fail, the trial is invalid, its
        detail names the exception, and it counts as missing. It is not scored, and it does not end the run.

    Raises
    ------
    UsageError
        If a parameter cannot be used, such as a regular expression with a syntax error.
    PluginError
        If a plug-in fails to load, or to build its rule.
    """
    rule: ScoreFunction = import_module(f"shinrai.check.scorers.{_MODULES[use.id]}").build(use, context)

    def score(item: Item, requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        missing = unmeasured(calls)
        if missing is not None:
            return missing
        try:
            return rule(item, requests, calls)
        except Exception as error:  # noqa: BLE001 - becomes an outcome of its own that counts as missing, not a score
            return Score("invalid", detail(FAILED, type(error).__name__))

    return score


def score_of(commitment: Commitment, context: Context) -> ScoreFunction:
    """Build the scoring function of a promise, for trials of our own.

    Parameters
    ----------
    commitment : Commitment
        That is measured by trials.
    context : Context
        What it may know of the system.

    Returns
    -------
    callable
        As `scorer`. Where a trial source makes the trials, it reads the rows of their samples.

    Raises
    ------
    UsageError
        If a parameter cannot be used, or the promise names no scorer.
    """
    if commitment.scorer is None:
        raise UsageError("check.no-scorer", _("{claim} names no scorer").format(claim=commitment.claim))
    rule = scorer(commitment.scorer.use, context)
    sampled = commitment.data is not None and commitment.data.sampled
    return of_samples(commitment.scorer.use, rule) if sampled else rule
