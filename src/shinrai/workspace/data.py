"""The data that checks name: where they are, and whether they hold what the check reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shinrai.catalog import PREFIX, data_path
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import (
    LANGUAGE_COLUMN,
    Anchor,
    Check,
    Column,
    DataUse,
    Exact,
    Groups,
    Includes,
    Item,
    Json,
    JsonSchema,
    Judge,
    LanguageOfReply,
    Perturb,
    Prediction,
    Swap,
    as_written,
    keeps,
    same_value,
)
from shinrai.source import Place, did_you_mean, listing
from shinrai.workspace.layout import inside, near_file

_PROMPTS = "prompts"


def data_file(root: Path, use: DataUse) -> Path:
    """Find the data set that a check uses.

    Parameters
    ----------
    root : Path
        Folder of the workspace.
    use : DataUse
        With a file, not with imported data.

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        If there is no such file, or the data are imported ones, which the ledger knows.
    """
    if use.file is None:
        message = _("imported data are not a file of the workspace")
        raise UsageError("workspace.no-file", message, hint=_("bring them in with: shinrai do import"))
    if use.file.startswith(PREFIX):
        return data_path(use.file)
    path = inside(root, use.file)
    if path is None:
        message = _('"{file}" leads out of the folder').format(file=use.file)
        raise UsageError("workspace.outside", message, hint=_("name files relative to the workspace"))
    if not path.is_file():
        message = _('there is no file "{file}"').format(file=use.file)
        raise UsageError("workspace.no-file", message, hint=near_file(path, use.file))
    return path


@dataclass(frozen=True, slots=True)
class Misfit:
    """Something that a check reads and its data do not hold.

    Parameters
    ----------
    code : str
        Stable name of the problem.
    place : tuple of str and int
        Where the check names it.
    message, expected, hint : str
        As in `Problem`.
    key : bool
        The name is a key.
    """

    code: str
    place: Place
    message: str
    expected: str | None = None
    hint: str | None = None
    key: bool = False


def misfits(check: Check, items: Sequence[Item]) -> Iterator[Misfit]:
    """Compare a check with its data.

    Nothing is ever bound to a name that is merely near: the near name is only shown.

    Parameters
    ----------
    check : Check
        One that uses a file.
    items : sequence of Item
        All rows of the file.

    Yields
    ------
    Misfit
        For each column that no row has, each value that no row holds, and a filter that keeps nothing.
    """
    if not items:
        yield Misfit("workspace.no-rows", ("data", "file"), _("the file holds no rows"))
        return
    missing = list(unknown_columns(check, dict.fromkeys(name for item in items for name in item.fields)))
    yield from missing
    if not missing:
        yield from _values(check, items)


def unknown_columns(check: Check, columns: Collection[str]) -> Iterator[Misfit]:
    """Name the columns that a check reads and its data do not have."""
    for name in _columns(check):
        if name.name not in columns:
            yield Misfit(
                "workspace.no-column",
                name.place,
                _('the data have no column "{name}"').format(name=name.name),
                _("one of: {names}").format(names=listing(columns, most=20)),
                did_you_mean(name.name, columns),
                key=name.key,
            )


@dataclass(frozen=True, slots=True)
class _Name:
    """A column as a check names it."""

    place: Place
    name: str
    key: bool = False


def _columns(check: Check) -> Iterator[_Name]:
    if check.data is not None:
        for column in check.data.where or {}:
            yield _Name(("data", "where", column), column, key=True)
        if check.data.languages is not None:
            yield _Name(("data", "languages"), LANGUAGE_COLUMN, key=True)
        if check.applies_to == "chat" and _asks_item_by_item(check, check.data):
            yield _Name(("data", "file"), _PROMPTS)
    if check.dialogue is not None and check.dialogue.driver is not None:
        for position, name in enumerate(check.dialogue.driver.show):
            yield _Name(("dialogue", "driver", "show", position), name)
    if check.groups is not None:
        yield _Name(("groups", "column"), check.groups.column)
    if isinstance(check.variants, Perturb | Swap):
        yield _Name(("variants", "column"), check.variants.column)
    yield from _of_scorer(check)


def _asks_item_by_item(check: Check, data: DataUse) -> bool:
    return data.file is not None and data.source is None and check.dialogue is None


def _of_scorer(check: Check) -> Iterator[_Name]:
    scorer = check.scorer
    if isinstance(scorer, Column) and check.data is not None and check.data.source is not None:
        return  # the columns of what a trial source makes are known when it has made it
    if isinstance(scorer, Exact | Includes | JsonSchema) and scorer.field is not None:
        yield _Name(("scorer", "field"), scorer.field)
    elif isinstance(scorer, Prediction) and scorer.column is not None:
        yield _Name(("scorer", "column"), scorer.column)
    elif isinstance(scorer, LanguageOfReply) and scorer.expected == "item":
        yield _Name(("scorer",), LANGUAGE_COLUMN, key=True)
    elif isinstance(scorer, Anchor):
        yield _Name(("scorer", "field"), scorer.field)
        yield _Name(("scorer", "number"), scorer.number)
    elif isinstance(scorer, Judge):
        for position, name in enumerate(scorer.show):
            yield _Name(("scorer", "show", position), name)
    elif isinstance(scorer, Column):
        yield _Name(("scorer", "column"), scorer.column)
        if scorer.rule == "differs-from":
            yield _Name(("scorer", "value"), str(scorer.value))


def _values(check: Check, items: Sequence[Item]) -> Iterator[Misfit]:
    kept = list(items)
    conditions: list[tuple[Place, str, Json]] = []
    if check.data is not None:
        for column, value in (check.data.where or {}).items():
            conditions.append((("data", "where", column), column, value))
        kept = [item for item in items if keeps(check.data, item)]
        for number, language in enumerate(check.data.languages or ()):
            conditions.append((("data", "languages", number), LANGUAGE_COLUMN, language))
    unmatched = False
    for place, column, value in conditions:
        if not any(same_value(item.fields.get(column), value) for item in items):
            unmatched = True
            yield _no_value(place, column, as_written(value), items)
    if unmatched:
        return
    if not kept:
        yield Misfit("workspace.no-rows", ("data",), _("no row has all of these values"), key=True)
    elif check.groups is not None:
        yield from _group_values(check.groups, kept)


def _group_values(groups: Groups, items: Sequence[Item]) -> Iterator[Misfit]:
    for side, value in (("a", groups.a), ("b", groups.b)):
        if not any(as_written(item.fields.get(groups.column)) == value for item in items):
            yield _no_value(("groups", side), groups.column, value, items)


def _no_value(place: Place, column: str, value: str, items: Sequence[Item]) -> Misfit:
    found = dict.fromkeys(as_written(item.fields.get(column)) for item in items)
    return Misfit(
        "workspace.no-value",
        place,
        _('no row has "{value}" in the column "{column}"').format(value=value, column=column),
        _("one of: {names}").format(names=listing(found)),
        did_you_mean(value, found),
    )
