"""The files of a finished run: what the journal and the trials held, as Parquet, written and read by DuckDB.

While a run goes on, its calls are lines of JSON, because a line can be added and a torn one recognised. When it has
ended, both are turned into tables that take a tenth of the room and answer questions by themselves::

    duckdb -c "SELECT outcome, count(*) FROM '.shinrai/runs/run-0001/trials-*.parquet' GROUP BY 1"

What came from outside (``request``, ``reply``; ``item``, ``detail``, ``group``) is kept as JSON text, character by
character as it stood in the line: NUL, escapes, half-read numbers and any nesting survive, because nothing reads them
on the way. The way goes through a file in which cells are separated by U+001F, a character that JSON escapes and that
therefore appears in no cell. Each table is read back and compared cell by cell before it counts.

A table is cut into several files where it is large, so that memory does not grow with the run.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice, repeat
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from shinrai.check.journal import Line, not_written
from shinrai.errors import StoreError, TamperedError
from shinrai.i18n import _
from shinrai.records import Outcome, RunFinished, Trial

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["read_calls", "read_trials", "run_files", "trial_row", "write_run"]

PART_BYTES: Final = 4 * 2**20
"""Text of a table that goes into one file: what is read, written and compared at once is held in memory."""

_SEPARATOR: Final = "\x1f"
_ROWS_AT_ONCE: Final = 500
_ROW_GROUP: Final = 8192  # rows that are gathered before they are written; a multiple of 2,048 for DuckDB
_DRAFT: Final = ".draft"

Cells: TypeAlias = tuple[Any, ...]
Kind: TypeAlias = Literal["calls", "trials"]


class _Table(NamedTuple):
    """Columns with their types, in order; how a line becomes cells; columns that are stored in another form than text.

    ``row`` turns a line into its cells, in the order of the columns; a cell without a value is empty.

    ``stored`` makes the stored column of the text, ``shown`` the text of the stored column.
    """

    columns: dict[str, str]
    row: Callable[[bytes], bytes]
    stored: dict[str, str]
    shown: dict[str, str]


class _RawCall(Line, frozen=True, gc=False):
    """A line of the journal whose free parts are not read."""

    reply: msgspec.Raw = msgspec.Raw()
    request: msgspec.Raw = msgspec.Raw()


_decode_call = msgspec.json.Decoder(_RawCall).decode
_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder().decode


def _call_row(line: bytes) -> bytes:
    call = _decode_call(line)
    cells = (
        f"{call.key}{_SEPARATOR}{call.end}{_SEPARATOR}{call.error or ''}{_SEPARATOR}{call.seconds}{_SEPARATOR}"
        f"{call.attempts}{_SEPARATOR}{call.tokens_in}{_SEPARATOR}{call.tokens_out}{_SEPARATOR}{call.guard or ''}"
        f"{_SEPARATOR}{call.cut}{_SEPARATOR}{call.run or ''}"
    )
    return b"\x1f".join((cells.encode(), call.request, call.reply)) + b"\n"


def trial_row(trial: Trial) -> bytes:
    """Give a trial as the line of a file that `write_run` takes."""
    detail = b"" if not trial.detail else _encode(trial.detail)
    group = b"" if trial.group is None else _encode(trial.group)
    cells = f"{trial.commitment}{_SEPARATOR}{trial.position}{_SEPARATOR}{trial.outcome}".encode()
    return b"\x1f".join((cells, _encode(trial.item), " ".join(trial.calls).encode(), detail, group)) + b"\n"


def _as_it_is(row: bytes) -> bytes:
    return row


_TABLES: dict[Kind, _Table] = {
    "calls": _Table(
        {
            "key": "VARCHAR",
            "end": "VARCHAR",
            "error": "VARCHAR",
            "seconds": "DOUBLE",
            "attempts": "UINTEGER",
            "tokens_in": "UBIGINT",
            "tokens_out": "UBIGINT",
            "guard": "VARCHAR",
            "cut": "UBIGINT",
            "run": "VARCHAR",
            "request": "VARCHAR",
            "reply": "VARCHAR",
        },
        _call_row,
        {},
        {},
    ),
    "trials": _Table(
        {
            "commitment": "VARCHAR",
            "position": "UINTEGER",
            "outcome": "VARCHAR",
            "item": "VARCHAR",
            "calls": "VARCHAR",
            "detail": "VARCHAR",
            "group": "VARCHAR",
        },
        _as_it_is,
        {"calls": "string_split(\"calls\", ' ')"},
        {"calls": "array_to_string(\"calls\", ' ')"},
    ),
}


# ---- writing


def write_run(directory: Path, journals: Sequence[Path], trials: Iterable[IO[bytes]]) -> list[Path]:
    """Turn journals and the trials made from them into Parquet. All stay as they are.

    Parameters
    ----------
    directory : Path
        Of the run.
    journals : sequence of Path
        Of the run and of its workers. Torn last lines are left out.
    trials : iterable of file
        For each claim a file of `trial_row`, in committed order.

    Returns
    -------
    list of Path
        ``calls-0001.parquet`` and so on, then ``trials-0001.parquet`` and so on, at least one of each, forced to the
        disk.

    Raises
    ------
    StoreError
        If they could not be written, or do not hold what they were made from.
    """  # noqa: DOC501 - `not_written` makes the StoreError
    import duckdb  # noqa: PLC0415 - a tenth of a second, for a run that ends

    try:
        with _duckdb() as connection:
            paths = _write(connection, directory, "calls", _whole_lines(journals))
            paths += _write(connection, directory, "trials", _lines(trials))
        _sync(directory)
    except (OSError, duckdb.Error) as error:
        raise not_written(f"{directory.name}/*.parquet", error) from error
    return paths


def _whole_lines(journals: Sequence[Path]) -> Iterator[bytes]:
    for journal in journals:
        with journal.open("rb") as lines:
            yield from (line for line in lines if line.endswith(b"\n"))


def _lines(files: Iterable[IO[bytes]]) -> Iterator[bytes]:
    for file in files:
        file.seek(0)
        yield from file


def _write(connection: DuckDBPyConnection, directory: Path, kind: Kind, lines: Iterable[bytes]) -> list[Path]:
    for left in (*directory.glob(f"{kind}-*.rows"), *directory.glob(f"{kind}-*{_DRAFT}")):
        left.unlink()  # of an attempt that was cut short
    paths: list[Path] = []
    rest = iter(lines)
    more = True
    while more:
        path = directory / f"{kind}-{len(paths) + 1:04d}.parquet"
        more = _write_part(connection, kind, rest, path)
        paths.append(path)
    for stale in set(directory.glob(f"{kind}-*.parquet")) - set(paths):
        stale.unlink()
    return paths


def _write_part(connection: DuckDBPyConnection, kind: Kind, lines: Iterator[bytes], path: Path) -> bool:
    """Write one file of a table; tell whether lines are left.

    Raises
    ------
    StoreError
        If the file does not hold what it was given.
    """
    table, draft = _TABLES[kind], path.with_suffix(_DRAFT)
    with NamedTemporaryFile(dir=path.parent, prefix=f"{kind}-", suffix=".rows") as rows:
        size = longest = 0
        for line in lines:
            row = table.row(line)
            rows.write(row)
            size += len(row)
            longest = max(longest, len(row))
            if size >= PART_BYTES:
                break
        rows.flush()
        connection.execute(_copy(table, Path(rows.name), draft, longest))
        rows.seek(0)
        if not _same(connection, table, draft, rows):
            raise StoreError(
                "run.not-exact", _("{file} does not hold what the run wrote, and is not used").format(file=path.name)
            )
    _sync(draft)
    draft.replace(path)
    return size >= PART_BYTES


def _copy(table: _Table, rows: Path, draft: Path, longest: int) -> str:
    stored = ", ".join(f'{table.stored.get(name, _name(name))} AS "{name}"' for name in table.columns)
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in table.columns.items())
    line = max(2**18, 2 * longest)
    return (
        f"COPY (SELECT {stored} FROM read_csv({_quoted(rows)}, delim='{_SEPARATOR}', quote='', escape='', "  # noqa: S608 - names of ours
        f"header=false, auto_detect=false, new_line='\\n', max_line_size={line}, buffer_size={2 * line}, "
        f"columns={{{columns}}})) TO {_quoted(draft)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP})"
    )


def _same(connection: DuckDBPyConnection, table: _Table, path: Path, rows: Iterable[bytes]) -> bool:
    """Compare a table with what it was made from, cell by cell; fractions by value, all else character by character."""
    texts = [f"coalesce(CAST({table.shown.get(name, _name(name))} AS VARCHAR), '')" for name in table.columns]
    fractions = [place for place, kind in enumerate(table.columns.values()) if kind == "DOUBLE"]
    given = iter(rows)
    cursor = connection.execute(
        f"SELECT concat_ws('{_SEPARATOR}', {', '.join(texts)}) || '\n' FROM read_parquet({_quoted(path)})"  # noqa: S608 - names of ours
    )
    while found := cursor.fetchmany(_ROWS_AT_ONCE):
        stored = [text.encode() for (text,) in found]
        compared = list(islice(given, len(stored)))
        if stored != compared and not (
            len(stored) == len(compared) and all(map(_same_cells, stored, compared, repeat(fractions)))
        ):
            return False
    return next(given, None) is None


def _same_cells(found: bytes, row: bytes, fractions: Sequence[int]) -> bool:
    """Compare two rows of which a fraction may be written in two ways."""
    stored, given = found.split(b"\x1f"), row.split(b"\x1f")
    return len(stored) == len(given) and all(
        one == other or (place in fractions and one and other and float(one) == float(other))
        for place, (one, other) in enumerate(zip(stored, given, strict=True))
    )


def _name(name: str) -> str:
    return f'"{name}"'


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _duckdb() -> Iterator[DuckDBPyConnection]:
    connection = _database().cursor()
    try:
        yield connection
    finally:
        connection.close()


@lru_cache(maxsize=1)
def _database() -> DuckDBPyConnection:
    """Open the database without a file, once for the process: it takes longer than to write or read a short run."""
    import duckdb  # noqa: PLC0415 - a tenth of a second, for a run that ends

    # One thread: rows stay in order. Nothing is fetched, nothing is read but the files that are named.
    database = duckdb.connect(
        ":memory:",
        config={"threads": 1, "autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )
    atexit.register(_database.cache_clear)
    atexit.register(database.close)
    return database


# ---- reading


def run_files(root: Path, finished: RunFinished, kind: Kind) -> list[Path]:
    """Give the files of a finished run that hold its calls or its trials, in order, as the ledger names them."""
    return [root / name for name in sorted(finished.files) if name.rpartition("/")[2].startswith(f"{kind}-")]


def read_calls(paths: Sequence[Path], keys: Collection[str] | None = None) -> Iterator[Line]:
    """Read the calls of a finished run.

    Parameters
    ----------
    paths : sequence of Path
        Its ``calls`` files, in order.
    keys : collection of str, optional
        Only these.

    Yields
    ------
    Line
        In the order in which they finished.

    Raises
    ------
    TamperedError
        If a file is gone, or is not what a run wrote.
    """
    where, values = ("", []) if keys is None else ("WHERE key IN (SELECT unnest(?))", [list(keys)])
    for row in _rows(paths, where, values):
        key, end, error, seconds, attempts, tokens_in, tokens_out, guard, cut, run, request, reply = row
        yield Line(
            *(key, end, _json(reply), error, seconds, attempts, tokens_in, tokens_out, guard),
            *(_json(request), cut, run),
        )


def read_trials(
    paths: Sequence[Path], *, commitment: str | None = None, outcomes: Collection[Outcome] | None = None
) -> Iterator[Trial]:
    """Read the trials of a finished run, claim by claim in committed order.

    Parameters
    ----------
    paths : sequence of Path
        Its ``trials`` files, in order.
    commitment : str, optional
        Only trials of the promise with this digest.
    outcomes : collection of str, optional
        Only trials that ended so.

    Yields
    ------
    Trial

    Raises
    ------
    TamperedError
        If a file is gone, or is not what a run wrote.
    """
    conditions, values = [], []
    for column, wanted in (("commitment", None if commitment is None else [commitment]), ("outcome", outcomes)):
        if wanted is not None:
            conditions.append(f"{column} IN (SELECT unnest(?))")
            values.append(list(wanted))
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    for promise, position, outcome, item, calls, detail, group in _rows(paths, where, values):
        yield Trial(position, _json(item), tuple(calls or ()), promise, outcome, _json(detail) or "", _json(group))


def _rows(paths: Sequence[Path], where: str, values: Sequence[Any]) -> Iterator[Cells]:
    for path in paths:
        if not path.is_file():
            raise TamperedError(
                "run.file-missing", _("the run file {file} is not there any more").format(file=path.name)
            )
    with _duckdb() as connection:
        for path in paths:
            yield from _rows_of(connection, path, where, values)


def _rows_of(connection: DuckDBPyConnection, path: Path, where: str, values: Sequence[Any]) -> Iterator[Cells]:
    import duckdb  # noqa: PLC0415 - loaded with the connection

    try:
        # Looking things up in a list may give them in the list's order, so that of the file has to be asked for.
        read = f"read_parquet({_quoted(path)}, file_row_number = true) {where} ORDER BY file_row_number"
        cursor = connection.execute(f"SELECT * EXCLUDE file_row_number FROM {read}", values)  # noqa: S608 - a path of ours
        while found := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from found
    except duckdb.Error as error:
        raise TamperedError(
            "run.bad-file", _("{file}: this is not a file that a run wrote").format(file=path.name)
        ) from error


def _json(text: str | None) -> Any:  # noqa: ANN401 - a request or a reply is any JSON value
    return None if text is None else _decode_text(text)
