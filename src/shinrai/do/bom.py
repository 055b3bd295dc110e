"""Bringing in what suppliers say of their components: kept as it is, whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from shinrai.do.croissant import croissant, is_croissant
from shinrai.do.model_card import model_card
from shinrai.errors import Problem, SourceError, UsageError
from shinrai.i18n import _
from shinrai.records import Id, Json, SupplyFacts, System
from shinrai.source import JsonDocument, read_json_document
from shinrai.workspace import BOMS, SUFFIX, Bom, Workspace, bom_of, contradictions, joined, slug
from shinrai.workspace.graph import choices, cycles

Format: TypeAlias = Literal["cyclonedx", "hugging-face", "croissant"]


@dataclass(frozen=True, slots=True)
class Brought:
    """What was brought in.

    Parameters
    ----------
    file : str
        Where it is kept, relative to the workspace.
    format : str
        What it was.
    components : tuple of Id
        The components that it names.
    changed : bool
        False where exactly this was there before.
    """

    file: str
    format: Format
    components: tuple[Id, ...]
    changed: bool

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON values."""
        return {
            "file": self.file,
            "format": self.format,
            "components": list(self.components),
            "changed": self.changed,
        }


def import_stack(workspace: Workspace, file: Path, *, name: str | None = None, replace: bool = False) -> Brought:
    """Bring in a bill of materials, a model card or a data card. The latter two are kept as bills of materials.

    Parameters
    ----------
    workspace : Workspace
        As loaded.
    file : Path
        CycloneDX 1.6 or 1.7 as JSON, Croissant as JSON-LD, or a model card of Hugging Face (``.md``).
    name : str, optional
        What to call it; by default the name of the file.
    replace : bool
        Whether it may take the place of another one of that name.

    Returns
    -------
    Brought

    Raises
    ------
    SourceError
        If it cannot be used, with every problem located; nothing is kept of it.
    UsageError
        If the name cannot be used.
    """
    called = slug(name if name is not None else file.name.removesuffix(SUFFIX).removesuffix(file.suffix))
    if not called:
        message = _("a name needs letters a–z or digits")
        raise UsageError("stack.name", message, hint=_("give it one: {option}").format(option="--name"))
    source, document = _read(file)
    return _keep(workspace, bom_of(document, called), source, replace=replace)


def _read(file: Path) -> tuple[Format, JsonDocument]:
    """Read a document of any of the formats as CycloneDX: one that is, as it stands."""
    if file.suffix.lower() == ".md":
        return "hugging-face", _as_bom(model_card(file), file)
    document = read_json_document(file, shown_as=file.name)
    if is_croissant(document.data):
        return "croissant", _as_bom(croissant(document), file)
    return "cyclonedx", document


def _as_bom(document: dict[str, Json], file: Path) -> JsonDocument:
    return JsonDocument(json.dumps(document, ensure_ascii=False, indent=2) + "\n", file.name)


def _keep(workspace: Workspace, bom: Bom, source: Format, *, replace: bool) -> Brought:
    problems = list(_misfits(workspace, bom))
    if problems:
        raise SourceError(problems)
    shown_as = f"{BOMS}/{bom.name}{SUFFIX}"
    path = workspace.root / shown_as
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before is not None and before != bom.source.text and not replace:
        raise UsageError(
            "stack.exists",
            _("{file} is there already and says something else").format(file=shown_as),
            hint=_("take another --name, or --replace it"),
        )
    if before != bom.source.text:
        _write(path, bom.source.text)
    return Brought(shown_as, source, tuple(bom.parts), before != bom.source.text)


def _misfits(workspace: Workspace, bom: Bom) -> Iterator[Problem]:
    """Find what would keep the workspace from loading with the bill in it."""
    others = [one for one in workspace.boms.values() if one.name != bom.name]
    yield from contradictions([*others, bom])
    components = joined([*others, bom], workspace.own_components)
    needs = {key: [one for choice in choices(part.needs) for one in choice] for key, part in components.items()}
    for around in cycles(needs):
        message = _("the component needs itself: {way}").format(way=" → ".join((*around[-1:], *around)))
        here = next((key for key in around if key in bom.places), None)
        yield bom.source.problem("bom.cycle", bom.places[here] if here else (), message)
    for key in (key for key in workspace.components if key not in components):
        users = [system.id for system in workspace.systems.values() if key in _named(system, *system.stack)]
        users += [name for name, part in components.items() if key in _named(part)]
        if users:
            message = _('{names} need the component "{name}", which this bill no longer has')
            text = message.format(names=", ".join(users), name=key)
            yield bom.source.problem("bom.still-needed", ("components",), text)


def _named(*needing: System | SupplyFacts) -> set[Id]:
    return {name for one in needing for choice in choices(one.needs) for name in choice}


def _write(path: Path, text: str) -> None:
    """Write a file whole: under another name first, so that nobody ever sees half of it.

    Raises
    ------
    OSError
        If the disk does not take it; nothing is left of it then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            Path(file.name).unlink()
            raise
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
