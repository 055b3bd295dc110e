"""How gates of the life cycle are printed: which one, and which claim keeps it closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from shinrai.i18n import current_language
from shinrai.records import Id, Text
from shinrai.report.gate_words import bar_words, gate_words, short

if TYPE_CHECKING:
    from shinrai.rules.gates import StageGate


def print_gates(gates: Iterable[StageGate], titles: Mapping[Id, Text]) -> None:
    """Print each gate, and under a closed one what keeps it closed.

    Parameters
    ----------
    gates : iterable of StageGate
        In the order in which to print them.
    titles : mapping
        System → what it is called.
    """
    language = current_language()
    for one in gates:
        click.secho(f"{titles[one.system].read(language)}: {gate_words(one, language)}", bold=one.closed)
        for due in one.barred:
            for shape, words in bar_words(due, language):
                click.echo(f"  {shape} {words}")


def gate_cell(gate: StageGate | None) -> str:
    """Write a gate in few words; nothing where there is none."""
    return "" if gate is None else short(gate, current_language())
