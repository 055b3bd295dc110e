"""Plugin: a rule of one's own, from an installed package or a file of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from shinrai.check.scorers.details import N_, detail, inert
from shinrai.check.scorers.interface import Context, Request, ScoreFunction
from shinrai.errors import PluginError, UsageError
from shinrai.i18n import _
from shinrai.plugins import blame, called, choose, load
from shinrai.records import Call, Item, PluginScorer, Score

FAILED = N_("the plug-in failed on this reply")
NO_SCORE = N_("the plug-in gave no score")
_OUTCOMES = frozenset({"pass", "fail", "invalid"})


def build(use: PluginScorer, context: Context) -> ScoreFunction:
    """Load the plug-in and have it build its rule.

    The rule is given copies: nothing that it does to an item reaches another claim. It may say pass, fail or invalid;
    anything else that it gives, and anything that it raises, makes the trial invalid, which counts as missing.

    Raises
    ------
    UsageError
        If there is no such plug-in.
    PluginError
        If it fails to load, or what it builds cannot be called.
    """
    if context.root is None:
        raise UsageError("plugin.no-workspace", _("a plug-in needs a workspace"))
    offer = choose("scorer", use.name, context.root)
    rule = called(offer, load(offer), deepcopy(use.parameters))
    if not callable(rule):
        message = _("{file}: scorer(parameters) has to return a function (item, requests, calls) -> Score").format(
            file=offer.plugin.file
        )
        raise PluginError("plugin.no-rule", message)

    def score(item: Item, requests: Sequence[Request], calls: Sequence[Call]) -> Score:
        try:
            found = rule(*deepcopy((item, requests, calls)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - an outcome of its own that counts as missing, not a score
            return Score("invalid", detail(FAILED, blame(error, offer), type(error).__name__))
        if not isinstance(found, Score) or found.outcome not in _OUTCOMES or not isinstance(found.detail, str):
            return Score("invalid", detail(NO_SCORE, offer.plugin.file))
        return Score(found.outcome, inert(found.detail))

    return score
