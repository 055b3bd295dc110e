"""What every verb opens first: the workspace, its ledger, and the lock that keeps writers in line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from shinrai.i18n import _
from shinrai.ledger import Ledger
from shinrai.workspace import Workspace, find_root, load, lock

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Session:
    """An opened workspace."""

    workspace: Workspace
    ledger: Ledger

    @property
    def root(self) -> Path:
        """Folder of the workspace."""
        return self.workspace.root


@contextmanager
def session(start: str, *, write: bool) -> Iterator[Session]:
    """Open the workspace that a folder belongs to.

    Parameters
    ----------
    start : str
        The folder, or one above which the workspace lies.
    write : bool
        Whether to wait for the workspace's lock. Writers come one after the other; readers never wait.

    Yields
    ------
    Session
    """
    root = find_root(Path(start).resolve())
    with ExitStack() as stack:
        if write:
            stack.enter_context(lock(root, waiting=_waiting))
        workspace = load(root)
        ledger = stack.enter_context(Ledger.open(workspace.settings.store, root=root))
        if write:
            stack.enter_context(ledger.writing(waiting=_waiting_for_others, migrating=_migrating))
        yield Session(workspace, ledger)
        if write and ledger.can_sign:
            ledger.checkpoint()
        elif write:
            note(_("not signed: the ledger's private key is not here; the next command where it is will sign"))


def today() -> date:
    """Give the day on the wall clock."""
    return datetime.now().astimezone().date()


def json_option(about: str = "Print the result as JSON.") -> Callable[[Command], Command]:
    """Give a verb the option ``--json``, which its function takes as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help=about)


def put_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print JSON for programs; characters that could control a terminal are escaped, as JSON lets every one be."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    click.echo("".join(map(_inert, text)))


def _inert(character: str) -> str:
    plain = character.isprintable() or character in "\n\u3000"
    return character if plain else json.dumps(character)[1:-1]


def note(message: str) -> None:
    """Tell the person at the terminal something that is not data."""
    click.echo(message, err=True)


def _waiting() -> None:
    note(_("another command is writing to this workspace; waiting for it to end ..."))


def _waiting_for_others() -> None:
    note(_("another command is writing to this ledger; waiting for it to end ..."))


def _migrating() -> None:
    note(_("bringing the ledger's tables up to date; its entries stay as they are ..."))
