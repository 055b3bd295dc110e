"""How far a long import is, on one line of a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from shinrai.i18n import _

__all__ = ["progress"]

_SECONDS: Final = 0.5
_CLEAR: Final = "\r\x1b[K"


@contextmanager
def progress(file: Path, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Give what is told how many trials were read; the line that it writes is gone in the end.

    Parameters
    ----------
    file : Path
        That is read.
    quiet : bool
        Show nothing, as where nobody looks at a terminal.

    Yields
    ------
    callable or None
        None where nothing is shown.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    size, shown = file.stat().st_size / 1e6, time.monotonic()

    def tell(rows: int) -> None:
        nonlocal shown
        if time.monotonic() - shown >= _SECONDS:
            shown = time.monotonic()
            text = _("{rows:,} trials read so far, of a file of {size:,.0f} MB").format(size=size, rows=rows)
            click.echo(f"{_CLEAR}{text}", err=True, nl=False)

    try:
        yield tell
    finally:
        click.echo(_CLEAR, err=True, nl=False)
