"""How the stack is printed in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.text import Text

from shinrai.act import Hit
from shinrai.cli.words import columns
from shinrai.i18n import _, current_language
from shinrai.plan.exposure import Concentration, Replaceable, SinglePoint
from shinrai.records import SupplyFacts
from shinrai.report.stack import OneComponent, Overview
from shinrai.report.stack_words import CAUSES, DIMENSION_WORDS, OPENNESS, TYPES, index, share
from shinrai.workspace import StackGraph

_TOP = 5


def print_overview(found: Overview) -> None:
    """Print what hangs on what: hits, single points of failure, concentration, openness, what can be replaced."""
    counts = _("{systems} systems on {components} components")
    click.secho(counts.format(systems=len(found.graph.systems), components=found.replaceable.components), bold=True)
    _print_hits(found.graph, found.hits)
    _print_points(found.graph, found.points, len(found.graph.systems))
    for one in found.concentrations:
        _print_concentration(one, len(found.graph.systems))
    parts = [f"{_(OPENNESS[kind])} {count}" for kind, count in found.openness.items()]
    _heading(_("Open and closed"))
    click.echo("  " + " · ".join(parts))
    _print_replaceable(found.replaceable)


def print_component(found: OneComponent) -> None:
    """Print a component with its facts and the systems that it reaches."""
    node = found.node
    click.secho(f"{node.title.read(current_language())}  {node.key}", bold=True)
    click.echo(f"  {_(TYPES[node.type])}")
    if node.facts is not None:
        for name, value in _facts(node.facts):
            click.echo(f"  {name}: {value}")
    for hit in found.hits:
        click.secho(f"  ▲ {hit.component}: {why(hit)}", fg="red")
    _heading(_("Systems that it reaches"))
    if not found.reached:
        click.echo("  " + _("none"))
    for one in found.reached:
        fate = _("stops with it") if one.lost else _("goes on: an alternative stands in")
        click.echo(f"  {one.system}: {fate}")
        click.secho(f"    {way(one.path)}", dim=True)


def why(hit: Hit) -> str:
    """Say in one line what is known against a component."""
    if hit.title is None:
        return _(CAUSES[hit.cause]).format(name=hit.name, system=hit.system)
    severity = f" ({hit.severity})" if hit.severity else ""
    return f"{hit.name}{severity} {hit.title.read(current_language())}"


def way(path: Sequence[str]) -> str:
    """Write a way down the stack."""
    return " → ".join(key.rstrip("/") for key in path)


def _heading(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)


def _print_hits(graph: StackGraph, hits: Iterable[Hit]) -> None:
    found = list(hits)
    _heading(_("Known against components"))
    if not found:
        click.echo("  " + _("nothing"))
    for hit in found:
        title = graph.nodes[hit.component].title.read(current_language())
        click.secho(f"  ▲ {title} ({hit.component}): {why(hit)}", fg="red")
        for path in hit.paths:
            click.echo(f"      {way(path)}")


def _print_points(graph: StackGraph, points: Sequence[SinglePoint], systems: int) -> None:
    _heading(_("Single points of failure: their loss alone stops a system"))
    stops, days = _("systems that stop"), _("days to replace")
    component = _("component")
    table = columns(component, _("type"), _("supplier"), stops, days, right=(stops, days), whole=[component])
    for one in points:
        node = graph.nodes[one.key]
        title = Text.assemble(one.key, "\n", (node.title.read(current_language()), "dim"))
        known = [node.facts.supplier, node.facts.supplier_country] if node.facts else []
        supplier = " · ".join(filter(None, known)) or _("not stated")
        table.add_row(
            title,
            _(TYPES[node.type]),
            supplier,
            f"{len(one.systems)}/{systems}",
            _("not stated") if one.days is None else str(one.days),
        )
    Console().print(table)


def _print_concentration(found: Concentration, systems: int) -> None:
    dimension = _(DIMENSION_WORDS[found.dimension])
    written = index(found.low, found.high)
    _heading(_("Concentration by {dimension}: Herfindahl index {index}").format(dimension=dimension, index=written))
    part, stops = _("share"), _("systems that stop with it")
    table = columns("", part, stops, right=(part, stops))
    for one in found.holders[:_TOP]:
        table.add_row(one.name, share(one.share), f"{one.lost}/{systems}")
    rest = found.holders[_TOP:]
    if rest:
        table.add_row(_("{count} others").format(count=len(rest)), share(sum(one.share for one in rest)), "")
    if found.unknown:
        table.add_row(_("not stated"), share(found.unknown), "?")
    Console().print(table)


def _print_replaceable(found: Replaceable) -> None:
    _heading(_("Replaceable within {days} working days").format(days=found.days))
    parts = _("components: {quick} of {all} (takes longer {slow}, nothing could {none}, not stated {unknown})")
    values = {"quick": found.quick, "slow": found.slow, "none": found.none, "unknown": found.unknown}
    click.echo("  " + parts.format(all=found.components, **values))
    whole = _("systems whose every single point of failure could be replaced: {quick} of {all}")
    click.echo("  " + whole.format(quick=found.systems_quick, all=found.systems))


def _facts(facts: SupplyFacts) -> list[tuple[str, str]]:
    found = {
        _("supplier"): facts.supplier,
        _("country of the supplier"): facts.supplier_country,
        _("country of processing"): ", ".join(facts.processing or ()),
        _("licence"): facts.licence,
        _("open or closed"): _(OPENNESS[facts.openness]),
        _("version"): facts.version,
        _("support ends"): facts.support_end.isoformat() if facts.support_end else None,
        _("substitutes"): ", ".join(
            _("{name} ({days} days)").format(name=one.name, days=one.days) for one in facts.substitutes or ()
        ),
    }
    return [(name, value) for name, value in found.items() if value]
