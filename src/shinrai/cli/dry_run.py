"""``shinrai check --dry-run``: what would be sent, and what it would cost."""

from __future__ import annotations

import click

from shinrai.check.changed import Changed
from shinrai.check.forecast import BYTES_PER_TOKEN, Amount, Forecast, forecast
from shinrai.cli.session import Session, note, put_json
from shinrai.i18n import _
from shinrai.records import ModelPrice, Price


def show(
    opened: Session, systems: tuple[str, ...], claims: tuple[str, ...], *, changed: list[Changed], as_json: bool
) -> None:
    """Print the forecast of a workspace."""
    found = forecast(opened.root, opened.ledger, systems=systems or None, claims=claims or None)
    if as_json:
        put_json(
            {"version": 1, "systems": [one.to_json() for one in found], "changed": [one.to_json() for one in changed]}
        )
        return
    _table(found)
    for one in found:
        _explain(one)
    budget = opened.workspace.settings.budget
    worst = sum(one.worst.calls for one in found)
    if worst > budget.calls:
        note(
            _("the budget ends at {calls} calls; a further `shinrai check` goes on from there").format(
                calls=budget.calls
            )
        )
    note(_("nothing was sent, nothing was written (--dry-run)"))


def _table(found: list[Forecast]) -> None:
    from rich.console import Console  # noqa: PLC0415 - loaded only when printed

    from shinrai.cli.words import columns  # noqa: PLC0415 - loaded only when printed

    figures = (_("calls"), _("tokens in"), _("tokens out"), _("cost"))
    table = columns(_("system"), _("sent to"), _("claims"), "", *figures, right=figures)
    for one in found:
        target = f"{one.model} @ {one.address}" if one.address else _("this machine")
        table.add_row(_named(one), target, str(len(one.claims)), _("expected"), *_cells(one.expected, one))
        table.add_row("", "", "", _("at worst"), *_cells(one.worst, one))
    Console().print(table)


def _named(one: Forecast) -> str:
    if one.judges:
        return _("{system}, as judge").format(system=one.system)
    if one.drives is None:
        return one.system
    return _("{driver}, as the user of {system}").format(driver=one.system, system=one.drives)


def _cells(amount: Amount, one: Forecast) -> tuple[str, str, str, str]:
    if one.address is None:
        return str(amount.calls), "–", "–", "–"
    tokens_out = _("unknown") if amount.tokens_out is None else str(amount.tokens_out)
    tokens_in = _("unknown") if amount.tokens_in is None else str(amount.tokens_in)
    return str(amount.calls), tokens_in, tokens_out, _money(amount, one.price)


def _money(amount: Amount, price: Price | None) -> str:
    return _("unknown") if amount.money is None or price is None else f"{amount.money:.4f} {price.currency}"


def _explain(one: Forecast) -> None:
    """Say where the figures of a system come from."""
    if one.kept:
        click.echo(_("{system}: {calls} calls are kept from before").format(system=one.system, calls=one.kept))
    if one.address is None:
        return
    if one.how == "rule":
        click.echo(
            _(
                "{system}: no call was counted yet; {bytes} bytes are taken for a token, and replies for `max_tokens`"
            ).format(system=one.system, bytes=BYTES_PER_TOKEN)
        )
    elif one.how == "unknown":
        text = _("{system}: how many tokens its calls take is known once the first of them are counted")
        click.echo(text.format(system=one.system))
    else:
        click.echo(_("{system}: tokens as its newest run had them").format(system=one.system))
    if one.worst.tokens_in is not None:
        click.echo(_("{system}: at worst, each byte sent is a token").format(system=one.system))
    if isinstance(one.price, ModelPrice):
        click.echo(
            _("{system}: price as of {day}, from {source}").format(
                system=one.system, day=one.price.as_of.isoformat(), source=one.price.source
            )
        )
    elif one.price is None:
        click.echo(_("{system}: there is no price for its model; give it `price`").format(system=one.system))
