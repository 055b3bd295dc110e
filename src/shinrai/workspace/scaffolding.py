"""Beginning a workspace: a small one that is complete, and explains itself."""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Template
from typing import Final

from shinrai.catalog import CATALOG, higher_plans
from shinrai.errors import UsageError
from shinrai.i18n import _
from shinrai.records import Id
from shinrai.source import did_you_mean, json_schemas
from shinrai.workspace.layout import SETTINGS_FILE

_TEMPLATE: Final = Path(__file__).parent / "template"
_NOT_IN_ID: Final = re.compile(r"[^a-z0-9]+")


def scaffold(directory: Path, *, name: str, store: str | None = None, follows: Id | None = None) -> list[Path]:
    """Write a first workspace: settings, a plan with one claim, a system, and the schemas for an editor.

    The seed that fixes the order of the data is drawn here, once, by chance.

    Parameters
    ----------
    directory : Path
        Made when it is not there. Files that are already in it stay as they are.
    name : str
        What people call the workspace.
    store : str, optional
        URL of the store of its ledger; an SQLite file in the workspace when left out.
    follows : Id, optional
        A plan of the catalog to watch. The workspace then begins with its observations instead of an example of a
        system.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UsageError
        If there already is a workspace, the catalog has no such plan, or something cannot be written.
    """
    if (directory / SETTINGS_FILE).exists():
        raise UsageError(
            "workspace.exists",
            _("{directory} already is a workspace").format(directory=directory),
            hint=_("nothing was changed; choose another folder"),
        )
    known = {plan.series for plan in higher_plans().values()}
    if follows is not None and follows not in known:
        message = _("the catalog has no plan {name}").format(name=follows)
        raise UsageError("workspace.unknown-plan", message, hint=did_you_mean(follows, known))
    files = [*_files(directory, name, store, follows), *_observed(directory, follows)]
    files.sort(key=lambda file: file[0].name == SETTINGS_FILE)
    try:
        return [path for path, text in files if _write_new(path, text)]
    except OSError as error:
        message = _("{path} cannot be written: {reason}").format(path=error.filename, reason=error.strerror)
        raise UsageError("workspace.cannot-write", message) from error


def write_schemas(directory: Path) -> list[Path]:
    """Write the JSON Schemas of all kinds of file, for editors, in place of older ones.

    Parameters
    ----------
    directory : Path
        Folder of the workspace; they go to ``schemas/<kind>.schema.json``.

    Returns
    -------
    list of Path
        The files written.
    """
    written = []
    for path, text in _schemas(directory):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _schemas(directory: Path) -> Iterator[tuple[Path, str]]:
    for kind, text in _texts_of_schemas():
        yield directory / "schemas" / f"{kind}.schema.json", text


@cache
def _texts_of_schemas() -> tuple[tuple[str, str], ...]:
    """Give kind and text; they follow from the records alone, and making them takes half a second."""
    return tuple(
        (kind, json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
        for kind, schema in json_schemas().items()
    )


def _observed(directory: Path, follows: Id | None) -> Iterator[tuple[Path, str]]:
    """Give the observations that the catalog has for a plan."""
    for file in sorted((CATALOG / "observations").glob(f"{follows}.csv")):
        yield directory / "observations" / file.name, file.read_text(encoding="utf-8")


def _files(directory: Path, name: str, store: str | None, follows: Id | None) -> Iterator[tuple[Path, str]]:
    """Give every file of a first workspace, ``shinrai.yaml`` last: it says that the workspace is there."""
    shown = "".join(character for character in name if character.isprintable()).strip() or "Shinrai"
    values = {
        "id": json.dumps(_id_of(shown)),  # quoted, because an id may look like a number
        "name": json.dumps(shown, ensure_ascii=False),
        "order_seed": str(secrets.randbelow(2**53)),
    }
    # Even where the folder has a .gitignore of its own, the private key never gets into git.
    yield directory / ".shinrai" / ".gitignore", "*\n"
    yield directory / ".gitignore", (_TEMPLATE / "gitignore").read_text(encoding="utf-8")
    yield from _schemas(directory)
    templates = sorted(path for path in _TEMPLATE.rglob("*") if path.suffix in {".yaml", ".md"})
    for template in sorted(templates, key=lambda path: path.name == SETTINGS_FILE):
        if follows is not None and template.suffix == ".yaml" and template.name != SETTINGS_FILE:
            continue
        text = Template(template.read_text(encoding="utf-8")).safe_substitute(values)
        if store is not None and template.name == SETTINGS_FILE:
            text += f"\n# Where the ledger is kept.\n# 台帳を置く場所です。\nstore: {json.dumps(store)}\n"
        if follows is not None and template.name == SETTINGS_FILE:
            about = "# Plans of the catalog whose indicators are watched here.\n# 指標を見守る計画です。\n"
            text += f"\n{about}follows: [{follows}]\n"
        yield directory / template.relative_to(_TEMPLATE), text


def _write_new(path: Path, text: str) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _id_of(name: str) -> str:
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NOT_IN_ID.sub("-", text)[:80].strip("-") or "workspace"
