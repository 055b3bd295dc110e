"""Everything that can go wrong, by who has to act.

::

    ShinraiError
    ├── SourceError         the author of a workspace file (holds every problem found, not the first)
    ├── UsageError          the person at the keyboard
    ├── TargetError         the system under test, or the way to it
    ├── PluginError         the author of a plug-in
    ├── StoreError          the place where records are kept
    └── TamperedError       whoever can explain why a record no longer matches its hash
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_MET = 0
EXIT_NOT_MET = 1
EXIT_USAGE = 2
EXIT_NOT_MEASURED = 3
EXIT_TAMPERED = 4
EXIT_INTERRUPTED = 130


class ShinraiError(Exception):
    """The root of every error that a user is meant to read.

    Parameters
    ----------
    code : str
        Stable name such as ``"ledger.broken-chain"``; documented in ``docs/errors.md``.
    message : str
        What happened and where, in one sentence.
    hint : str, optional
        What to do about it.
    """

    exit_code = EXIT_USAGE

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class UsageError(ShinraiError):
    """A command that cannot be carried out as it was given."""


class TargetError(ShinraiError):
    """The system under test could not be reached or used."""

    exit_code = EXIT_NOT_MEASURED


class PluginError(ShinraiError):
    """A plug-in could not be run, or is not what it should be; the message names its file and line."""

    exit_code = EXIT_NOT_MEASURED


class StoreError(ShinraiError):
    """A record could not be kept."""

    exit_code = EXIT_NOT_MEASURED


class TamperedError(ShinraiError):
    """A record, a run file or a signature does not match what the ledger says."""

    exit_code = EXIT_TAMPERED


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file a person wrote.

    Parameters
    ----------
    code : str
        Stable name such as ``"source.unknown-key"``.
    file : str
        Path relative to the workspace.
    line, column : int
        Counted from 1. Columns count characters, not bytes.
    message : str
        What was found, in one sentence.
    expected : str, optional
        What would have been right.
    hint : str, optional
        The nearest valid name, or the way out.
    excerpt : str, optional
        The offending line as it stands in the file, or a part of it.
    cut : int
        How many characters of the line stand before the excerpt and were left out.
    """

    code: str
    file: str
    line: int
    column: int
    message: str
    expected: str | None = None
    hint: str | None = None
    excerpt: str | None = None
    cut: int = 0


class SourceError(ShinraiError):
    """All the problems of all the files that were read, in file and line order.

    Parameters
    ----------
    problems : iterable of Problem
        At least one.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column)))
        if not self.problems:
            raise ValueError("SourceError needs at least one problem")
        first = self.problems[0]
        super().__init__(first.code, f"{first.file}:{first.line}:{first.column}: {first.message}", hint=first.hint)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the valid name that a person most likely meant.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        The valid names.

    Returns
    -------
    str or None
        The closest one, else the only one of which what was written is the first part (``cyclonedx`` of
        ``cyclonedx-declarations``), else None. Only ever shown to a person: nothing is bound by it.
    """
    valid = list(known)
    begun = [one for one in valid if one.startswith(f"{name}-")]
    return next(iter(difflib.get_close_matches(name, valid, n=1, cutoff=0.6)), begun[0] if len(begun) == 1 else None)
