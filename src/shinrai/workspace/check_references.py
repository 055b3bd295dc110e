"""What a check says that does not fit its own data, its threshold, or the rest of the workspace."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shinrai.errors import Problem, UsageError
from shinrai.i18n import _
from shinrai.records import (
    DECISION_COLUMNS,
    IMPORT_FORMATS,
    Check,
    Comparator,
    Driver,
    Judge,
    Metric,
    PluginScorer,
    Regex,
)
from shinrai.workspace.data import Misfit, misfits, unknown_columns
from shinrai.workspace.house import House, plugin_problems, unknown
from shinrai.workspace.inspect_tasks import task_misfits
from shinrai.workspace.parts import Sourced

__all__ = ["data_misfits", "of_check", "threshold_misfits"]

Threshold = float | tuple[float, float]


def of_check(sourced: Sourced[Check], house: House) -> Iterator[Problem]:
    """Go through a check: its id, threshold, scorer, driver, plug-ins and data."""
    check = sourced.record
    if check.id in house.parts.checks and house.parts.checks[check.id] is not check:
        message = _('the catalog already has a check "{id}"').format(id=check.id)
        yield sourced.problem("workspace.redefines-catalog", ("id",), message, _("an id of its own"))
    for wrong in threshold_misfits(check.metric, check.comparator, check.threshold):
        yield sourced.problem("workspace.threshold", ("threshold",), *wrong)
    if isinstance(check.scorer, Regex):
        try:
            re.compile(check.scorer.pattern)
        except re.error as error:
            message = _("the regular expression cannot be read: {reason}").format(reason=error)
            yield sourced.problem("workspace.pattern", ("scorer", "pattern"), message)
    if isinstance(check.scorer, Judge):
        yield from _of_judge(sourced, check.scorer, house)
    if check.dialogue is not None and check.dialogue.driver is not None:
        yield from _of_driver(sourced, check.dialogue.driver, house)
    yield from _of_plugins(sourced, house)
    for misfit in data_misfits(check, house):
        yield sourced.problem(misfit.code, misfit.place, misfit.message, misfit.expected, misfit.hint, key=misfit.key)


def _of_plugins(sourced: Sourced[Check], house: House) -> Iterator[Problem]:
    """Look for the plug-ins that a check names."""
    check = sourced.record
    if isinstance(check.scorer, PluginScorer):
        yield from plugin_problems(sourced, ("scorer", "name"), "scorer", check.scorer.name, house)
    data = check.data
    if data is not None and data.source is not None:
        yield from plugin_problems(sourced, ("data", "source", "name"), "source", data.source.name, house)
    if data is not None and data.imported not in {None, *IMPORT_FORMATS}:
        yield from plugin_problems(sourced, ("data", "imported"), "importer", str(data.imported), house)


def _of_judge(sourced: Sourced[Check], judge: Judge, house: House) -> Iterator[Problem]:
    chats = [one.record.id for one in house.parts.systems if one.record.kind == "chat"]
    if judge.system not in chats:
        message = _('there is no chat system "{name}" that could judge')
        yield unknown(sourced, "workspace.unknown-judge", ("scorer", "system"), message, judge.system, chats)


def _of_driver(sourced: Sourced[Check], driver: Driver, house: House) -> Iterator[Problem]:
    chats = [one.record.id for one in house.parts.systems if one.record.kind == "chat"]
    if driver.system not in chats:
        message = _('there is no chat system "{name}" that could speak for the user')
        place = ("dialogue", "driver", "system")
        yield unknown(sourced, "workspace.unknown-driver", place, message, driver.system, chats)


def data_misfits(check: Check, house: House) -> Iterator[Misfit]:
    """Compare a check with the items of its data; of an import nothing is known yet."""
    if check.data is not None and check.data.imported == "decisions":
        yield from unknown_columns(check, DECISION_COLUMNS)
        return
    if check.data is not None and check.data.inspect is not None:
        yield from task_misfits(house.parts.root, check.data.inspect)
        return
    if check.data is not None and check.data.file is None:
        return  # the columns of an import are known when it is there: shinrai plan looks at them
    try:
        items = house.items(check)
    except UsageError as error:
        yield Misfit(error.code, ("data", "file"), error.message, None, error.hint)
        return
    if items is not None:
        yield from misfits(check, items)
        house.data_problems += house.turns.problems(check, items)


def threshold_misfits(
    metric: Metric, comparator: Comparator, threshold: Threshold | None
) -> Iterator[tuple[str, str | None, str | None]]:
    """Give message, expectation and hint where a threshold does not go with what it is compared with."""
    if threshold is None:
        return
    if metric == "attested":
        yield _("a document is there or not: there is no threshold"), None, _("leave the key out")
    elif (comparator == "within") != isinstance(threshold, tuple):
        pair = _("a pair of numbers such as [0.02, 0.2]")
        expected = pair if comparator == "within" else _("a number")
        yield _("the threshold does not go with {comparator}").format(comparator=comparator), expected, None
    elif isinstance(threshold, tuple) and not threshold[0] < threshold[1]:
        yield _("the band is empty"), _("the lower edge first, and below the upper one"), None
    else:
        yield from _of_edges(metric, threshold if isinstance(threshold, tuple) else (threshold,))


def _of_edges(metric: Metric, edges: tuple[float, ...]) -> Iterator[tuple[str, str | None, str | None]]:
    if metric == "observed":
        return
    largest = float("inf") if metric == "rate-ratio" else 1.0
    for edge in edges:
        if not 0 <= edge <= largest:
            message = _("a {metric} is never {value}").format(metric=metric, value=f"{edge:g}")
            expected = _("a number from 0 up") if metric == "rate-ratio" else _("a share between 0 and 1")
            hint = _("a share, not percent: write {text}").format(text=f"{edge / 100:.12g}")
            yield message, expected, hint if 1 < edge <= 100 else None
