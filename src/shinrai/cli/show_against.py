"""``shinrai show RUN --against RUN``: what two runs asked otherwise, and which items ended differently."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from shinrai.cli.pages import change_page
from shinrai.cli.session import put_json
from shinrai.cli.shelf import Shelf, Wanted, lines_of, print_pages, trial_json
from shinrai.i18n import _
from shinrai.records import Json
from shinrai.report.asked import Otherwise, asked_otherwise
from shinrai.report.changes import Change, compare
from shinrai.report.evidence import visible
from shinrai.report.words import N_

if TYPE_CHECKING:
    from shinrai.check.journal import Line

_FIELDS: Final[dict[str, str]] = {
    "system": N_("system"),
    "judge": N_("judge"),
    "driver": N_("driver"),
    "check_version": N_("version of the check"),
    "data.digest": N_("data"),
    "order_seed": N_("order seed"),
    "scorer.use.id": N_("scorer"),
    "scorer.version": N_("version of the scorer"),
}
_WIDEST: Final = 60
"""Characters of a value that are shown; a digest shows the first twelve of its own."""


def show_against(shelf: Shelf, earlier: Shelf, wanted: Wanted, *, as_json: bool) -> None:
    """Show what an earlier run was asked otherwise, then the items that ended differently in it.

    Parameters
    ----------
    shelf, earlier : Shelf
        The later and the earlier run. Claims are those of the later one that were asked for.
    wanted : Wanted
        Which trials of the later run.
    as_json : bool
        Whether programs read it.
    """
    name = earlier.name
    claims = {promise.commitment.claim for promise in shelf.promises.values()}
    compared = compare(shelf.opened.root, shelf.state, earlier.run, shelf.run, claims)
    otherwise = asked_otherwise(shelf.state, earlier.run, shelf.run, claims)
    changes = [one for one in compared.changes if wanted(one.after)]
    before, after = earlier.calls(one.before for one in changes), shelf.calls(one.after for one in changes)
    counts = {
        "fixed": compared.count("fixed"),
        "broken": compared.count("broken"),
        "other": compared.count("other"),
        "same": compared.same,
        "only_before": compared.only_before,
        "only_after": compared.only_after,
    }
    if as_json:
        shown = [_change_json(one, lines_of(one.before, before), lines_of(one.after, after)) for one in changes]
        asked = [one.to_json() for one in otherwise]
        put_json(
            {"version": 1, "run": shelf.name, "against": name, "asked_otherwise": asked, **counts, "changes": shown}
        )
        return
    _say_otherwise(otherwise, claims & {promise.commitment.claim for promise in earlier.promises.values()})
    said = _("{fixed} now pass, {broken} no longer pass, {other} end otherwise, {same} end alike")
    click.echo(said.format(**counts))
    if compared.only_before or compared.only_after:
        alone = _("tried only in {before}: {only_before}; only in {after}: {only_after}")
        click.echo(alone.format(before=name, after=shelf.name, **counts))
    click.echo()
    print_pages(
        change_page(
            *(one, shelf.commitment(one.after)),
            *(lines_of(one.before, before), lines_of(one.after, after)),
            (name, shelf.name),
        )
        for one in changes
    )


def _say_otherwise(otherwise: Sequence[Otherwise], both: Collection[str]) -> None:
    """Name what differs, from the earlier run to the later one; of which claims, where it is not all."""
    if not otherwise:
        return
    click.echo(_("! the two runs did not ask the same:"))
    for one in otherwise:
        field = _(_FIELDS[one.field]) if one.field in _FIELDS else one.field
        where = "" if len(one.claims) == len(both) else f"  ({', '.join(one.claims)})"
        click.echo(f"  {visible(field)}: {_value(one.before)} → {_value(one.after)}{where}")
    click.echo()


def _value(value: Json) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if text.startswith("sha256:"):
        return text[:19]
    shown = visible(text).replace("\n", "⏎")
    return shown if len(shown) <= _WIDEST else f"{shown[:_WIDEST]}…"


def _change_json(change: Change, before: list[Line], after: list[Line]) -> dict[str, Any]:
    return {
        "claim": change.claim,
        "item": change.after.item,
        "change": change.kind,
        "before": trial_json(change.before, before),
        "after": trial_json(change.after, after),
    }
