"""The bills of materials of a workspace, and the components that they and ``components/*.yaml`` make together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from shinrai.errors import Problem, SourceError
from shinrai.i18n import _
from shinrai.records import Id, Part
from shinrai.workspace.bom_facts import PROPERTY
from shinrai.workspace.cyclonedx import SUFFIX, Bom, read_bom

BOMS = "boms"
"""Folder of the workspace in which bills of materials are kept."""

_IDENTITY = ("type", "supplier", "version", "digest", "purl", "licence")
"""What two bills must say alike of a component for it to be one and the same."""


def read_boms(root: Path) -> tuple[list[Bom], list[Problem]]:
    """Read every bill of materials of a workspace.

    Parameters
    ----------
    root : Path
        Folder of the workspace.

    Returns
    -------
    tuple
        Those that can be read, in the order of their names; what is wrong with the others.
    """
    boms: list[Bom] = []
    problems: list[Problem] = []
    folder = root / BOMS
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.suffix.lower() != ".json":
            continue
        shown_as = f"{BOMS}/{path.name}"
        if not path.name.endswith(SUFFIX):
            message, expected = _("the file would be overlooked"), _("a name that ends in .cdx.json")
            problems.append(Problem("workspace.file-name", shown_as, 1, 1, message, expected))
            continue
        try:
            boms.append(read_bom(path, shown_as=shown_as))
        except SourceError as error:
            problems += error.problems
    return boms, problems


def joined(boms: Iterable[Bom], own: Mapping[Id, Part]) -> dict[Id, Part]:
    """Put the components of all bills and of ``components/*.yaml`` together.

    Parameters
    ----------
    boms : iterable of Bom
        Those of the workspace; a component of several bills needs what any of them says.
    own : mapping
        Id → component of ``components/*.yaml``. What it says of a component of a bill takes the place of what the bill
        says.

    Returns
    -------
    dict
        Id → component.
    """
    found: dict[Id, Part] = {}
    for bom in boms:
        for name, part in bom.parts.items():
            found[name] = _united(found[name], part) if name in found else part
    for name, part in own.items():
        found[name] = overlaid(found[name], part) if name in found else part
    return found


def overlaid(stated: Part, own: Part) -> Part:
    """Give a component of a bill with what a person says of it in ``components/*.yaml``."""
    return stated.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def _united(one: Part, other: Part) -> Part:
    needs = dict.fromkeys((*one.needs, *other.needs))
    notices = {notice.id: notice for notice in (*one.notices, *other.notices)}
    return one.model_copy(update={"needs": tuple(needs), "notices": tuple(notices.values())})


def contradictions(boms: Iterable[Bom]) -> Iterator[Problem]:
    """Find ids that bills give to different components.

    Parameters
    ----------
    boms : iterable of Bom
        In order; the first to name a component is believed.

    Yields
    ------
    Problem
        In the later bill, where the component stands.
    """
    first: dict[Id, Bom] = {}
    for bom in boms:
        for name, part in bom.parts.items():
            known = first.setdefault(name, bom).parts[name]
            differing = [field for field in _IDENTITY if getattr(known, field) != getattr(part, field)]
            if differing:
                message = _('the id "{id}" is already taken').format(id=name)
                hint = _("by {file}, with another {fields}; the property {property} gives it an id of its own").format(
                    file=first[name].source.shown_as, fields=", ".join(differing), property=f"{PROPERTY}id"
                )
                yield bom.source.problem("workspace.duplicate-id", bom.places[name], message, None, hint)
