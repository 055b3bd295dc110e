"""How a foreign file is refused: what it is, which field, what would have been right."""

from __future__ import annotations

from typing import NoReturn

from shinrai.errors import Problem, SourceError

_LONGEST_EXCERPT = 200


def refuse(  # noqa: PLR0913 - one argument for each part of a Problem
    code: str,
    file: str,
    message: str,
    *,
    line: int = 1,
    expected: str | None = None,
    hint: str | None = None,
    excerpt: str | None = None,
) -> NoReturn:
    """Refuse a file.

    Parameters
    ----------
    code : str
        Stable name.
    file : str
        Its name; of a part of an archive with the name of that part.
    message, expected, hint, excerpt : str
        As in `Problem`.
    line : int
        Where it has lines.

    Raises
    ------
    SourceError
        Always.
    """
    shown = None if excerpt is None else excerpt[:_LONGEST_EXCERPT]
    raise SourceError([Problem(code, file, line, 1, message, expected, hint, shown)])
