"""Sections of one's own at the end of the page: texts and a table that a plug-in gives.

A plug-in gives words and numbers, never HTML: whatever it holds is escaped, so that the page still runs no script and
asks nobody. One that fails is said to have failed, in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from shinrai.errors import PluginError
from shinrai.i18n import _
from shinrai.ledger.projection import State
from shinrai.plugins import called, choose, load
from shinrai.records import Id, Plugin, Text
from shinrai.report.evidence import visible
from shinrai.workspace import Workspace

__all__ = ["OwnSection", "Section", "own_sections"]

Cell: TypeAlias = Text | str | int | float | None


@dataclass(frozen=True, slots=True)
class Section:
    """What a plug-in of the kind ``section`` returns.

    Parameters
    ----------
    title : Text
        Of the section.
    paragraphs : tuple of Text
        Below the title.
    columns : tuple of Text
        Heads of a table below them; no table where there are none.
    rows : tuple of tuple
        As many cells as columns each; None is an empty cell, never 0.
    """

    title: Text
    paragraphs: tuple[Text, ...] = ()
    columns: tuple[Text, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class OwnSection:
    """A section of one's own, or why there is none.

    Parameters
    ----------
    name : Id
        As ``shinrai.yaml`` names it.
    plugin : Plugin
        What made it.
    section : Section or None
        None where it failed.
    failure : str
        Why, with file and line.
    """

    name: Id
    plugin: Plugin
    section: Section | None = None
    failure: str = ""


def own_sections(workspace: Workspace, state: State, today: date) -> list[OwnSection]:
    """Run the plug-ins that ``shinrai.yaml`` names under ``sections``, in that order.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    state : State
        Of its ledger.
    today : date
        The last day that the ledger knows.

    Returns
    -------
    list of OwnSection

    Raises
    ------
    UsageError
        If there is no such plug-in, or two of one name.
    """
    return [_made(workspace, state, today, name) for name in workspace.settings.sections]


def _made(workspace: Workspace, state: State, today: date, name: Id) -> OwnSection:
    offer = choose("section", name, workspace.root)
    try:
        found = called(offer, load(offer), workspace, state, today)
        section = called(offer, _readable, found)
    except PluginError as error:
        return OwnSection(name, offer.plugin, failure=error.message)
    return OwnSection(name, offer.plugin, section)


def _readable(found: object) -> Section:
    """Make what a plug-in gave ready to be shown.

    Raises
    ------
    TypeError
        If it is no section.
    ValueError
        If its table is not as wide as its head.
    """
    if not isinstance(found, Section):
        raise TypeError(_("section(workspace, state, today) has to return a Section"))
    if any(len(row) != len(found.columns) for row in found.rows):
        raise ValueError(_("a row has more or fewer cells than there are columns"))
    return Section(
        _shown(found.title),
        tuple(_shown(text) for text in found.paragraphs),
        tuple(_shown(text) for text in found.columns),
        tuple(tuple(_cell(cell) for cell in row) for row in found.rows),
    )


def _shown(text: Text) -> Text:
    return Text(ja=text.ja and visible(text.ja), en=text.en and visible(text.en))


def _cell(cell: Cell) -> Cell:
    if isinstance(cell, Text):
        return _shown(cell)
    return visible(cell) if isinstance(cell, str) else cell
