"""Importing what other tools wrote: seconds of CPU, largest memory, and whether every sample is accounted for.

``python -m bench.imports FOLDER`` reads logs that the tools themselves made, as long as wanted:
``python -m tests.fixtures.make TOOLS --out FOLDER --samples 10000``. Otherwise logs are samples that the tools wrote
(`tests/fixtures`), each repeated with an id of its own, and the tool's own totals in proportion; aisev's is built by
its format. ``--gigabyte "Inspect .json" garak`` reads one of a gigabyte of each of these, and of all without a name.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import duckdb

from shinrai.do.json_stream import stream
from shinrai.do.zip_reading import reading
from tests.fixtures.replies import COUNT, HERE, says

SAMPLES = 9_984
"""The multiple of 24, the samples of a fixture, that is nearest to 10,000."""

_READ = """
import json, sys, time
from pathlib import Path
from shinrai.do.importing import _Book, read
from shinrai.do.keeping import keep_pieces
from shinrai.do.recognising import recognise

path, root = Path(sys.argv[1]), Path(sys.argv[2])
form = recognise(path)
run = read(form, path, root)
book = _Book(run, path.name)
keep_pieces(root, book.pieces(), f"{path.stem}.jsonl")
told = book.provenance()
print(json.dumps({
    "seconds": time.process_time(),
    "rss": int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024,
    "rows": book.rows,
    "missing": told.missing,
    "summary": told.summary,
}))
"""


def _inspect_samples() -> list[dict[str, Any]]:
    with reading(HERE / "inspect/whole.eval") as archive:
        return [json.loads(archive.read(member)) for member in archive if member.name.startswith("samples/")]


def _inspect_header(samples: int) -> dict[str, Any]:
    with reading(HERE / "inspect/whole.eval") as archive:
        (found,) = (member for member in archive if member.name == "header.json")
        header: dict[str, Any] = json.loads(archive.read(found))
    header["eval"]["dataset"] |= {"samples": samples, "sample_ids": [f"s{number}" for number in range(samples)]}
    times = samples // COUNT
    header["results"]["total_samples"] = samples
    header["results"]["completed_samples"] *= times
    return header


def _repeated(
    found: list[dict[str, Any]], samples: int, key: str, name: Callable[[int], Any]
) -> Iterator[dict[str, Any]]:
    for number, one in enumerate(islice(cycle(found), samples)):
        yield {**one, key: name(number)}


def inspect_archive(path: Path, samples: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for sample in _repeated(_inspect_samples(), samples, "id", lambda number: f"s{number}"):
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
        archive.writestr("header.json", json.dumps(_inspect_header(samples)))


def inspect_json(path: Path, samples: int) -> None:
    with path.open("w") as file:
        file.write(json.dumps(_inspect_header(samples))[:-1] + ', "samples": [\n')
        for number, sample in enumerate(_repeated(_inspect_samples(), samples, "id", lambda number: f"s{number}")):
            file.write((",\n" if number else "") + json.dumps(sample))
        file.write("\n]}")


def lm_eval(path: Path, samples: int) -> None:
    (source,) = (HERE / "lm-evaluation-harness").glob("samples_*.jsonl")
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    with path.open("w") as file:
        for kind in dict.fromkeys(row["filter"] for row in rows):
            own = [row for row in rows if row["filter"] == kind]
            for number, row in enumerate(islice(cycle(own), samples)):
                named = {**row, "doc_id": number, "doc": {**row["doc"], "id": f"s{number}"}}
                file.write(json.dumps(named) + "\n")


_HERE = "the rows stand here"


def _document(
    source: Path, path: Path, place: tuple[str, ...], change: Callable[[int, dict[str, Any]], Any], n: int
) -> None:
    """Write a JSON document again, with the elements of one list repeated."""
    with source.open("rb") as file:
        rows = [json.loads(value) for found, value in stream(file, source.name, (place,)) if found == place]
    whole = json.loads(source.read_text())
    inner = whole
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = [_HERE]
    if "stats" in inner:
        inner["stats"] |= {key: inner["stats"][key] * (n // COUNT) for key in ("successes", "failures", "errors")}
    for key in ("testPassed", "testFailed"):
        if key in whole:
            whole[key] *= n // COUNT
    before, _mark, after = json.dumps(whole).partition(json.dumps(_HERE))
    with path.open("w") as file:  # piece by piece: the document may be a gigabyte
        file.write(before)
        for number, row in enumerate(islice(cycle(rows), n)):
            file.write((", " if number else "") + json.dumps(change(number, row)))
        file.write(after)


def promptfoo(path: Path, samples: int) -> None:
    def change(number: int, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "testIdx": number, "vars": {**row["vars"], "id": f"s{number}"}}

    _document(HERE / "promptfoo/whole.json", path, ("results", "results"), change, samples)


def deepeval(path: Path, samples: int) -> None:
    def change(number: int, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "order": number, "metadata": {"id": f"s{number}"}}

    _document(HERE / "deepeval/whole.json", path, ("testCases",), change, samples)


def garak(path: Path, samples: int) -> None:
    (source,) = (HERE / "garak").glob("*.report.jsonl")
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    done = [row for row in rows if row["entry_type"] == "attempt" and row["status"] == 2]
    with path.open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows if row["entry_type"] in {"start_run setup", "init"})
        for number, row in enumerate(islice(cycle(done), samples // 2)):
            for status in (1, 2):
                file.write(json.dumps({**row, "status": status, "seq": number, "uuid": f"u{number}"}) + "\n")
        file.writelines(json.dumps(row) + "\n" for row in rows if row["entry_type"] == "completion")


def aisev(path: Path, samples: int) -> None:
    result = {"subCategory": "g", "evaluationContent": "l", "scoreRate": 0.1, "category": "定量", "score": 1}
    groups = [
        {
            "perspective": f"p{part}",
            "totalScore": 100.0,
            "results": [{**result, "question": f"q{part}/{n}", "answer": "yes" * 40} for n in range(samples // 8)],
        }
        for part in range(8)
    ]
    path.write_text(json.dumps({"targetModelName": "m", "tenPerspectives": groups}, ensure_ascii=False))


def _captured(samples: int) -> Iterator[dict[str, Any]]:
    """Give captured replies as long as chat replies are: what the endpoint says, 40 times."""
    for number in range(samples):
        prompt = f"question {number % COUNT}"
        said = says(prompt)
        refused = said.status != HTTPStatus.OK
        yield {
            "id": f"s{number}",
            "prompt": prompt,
            "reply": None if refused else (said.text or "") * 40,
            "error": "refused" if refused else None,
            "topic": "made",
        }


def outputs_lines(path: Path, samples: int) -> None:
    with path.open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in _captured(samples))


def outputs_table(path: Path, samples: int) -> None:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, ["id", "prompt", "reply", "error", "topic"])
        table.writeheader()
        table.writerows(_captured(samples))


def outputs_parquet(path: Path, samples: int) -> None:
    """Write Parquet, uncompressed: replies that repeat would pack to nothing."""
    lines = path.with_suffix(".lines")
    outputs_lines(lines, samples)
    with duckdb.connect() as connection:
        connection.read_json(str(lines), format="newline_delimited").write_parquet(
            str(path), compression="uncompressed"
        )
    lines.unlink()


KINDS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "Inspect .eval": ("log.eval", inspect_archive),
    "Inspect .json": ("log.json", inspect_json),
    "lm-evaluation-harness, two filters": ("samples_asking_2026-11-23T16-12-33.753654.jsonl", lm_eval),
    "promptfoo": ("log.json", promptfoo),
    "DeepEval": ("log.json", deepeval),
    "garak": ("made.report.jsonl", garak),
    "aisev": ("log.json", aisev),
    "captured replies, JSON Lines": ("r.jsonl", outputs_lines),
    "captured replies, CSV": ("r.csv", outputs_table),
    "captured replies, Parquet": ("r.parquet", outputs_parquet),
}


def measured(path: Path) -> dict[str, Any]:
    """Read a log in a process of its own; give what that says, its start included, and the megabytes of the log."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        done = subprocess.run(
            [sys.executable, "-c", _READ, str(path), folder], capture_output=True, text=True, check=True
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "size": path.stat().st_size / 1e6}


def made(kind: str, samples: int) -> dict[str, Any]:
    """Write a log of so many samples and read it."""
    name, write = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path, samples)
        return measured(path)


def accounted(kind: str, found: dict[str, Any], samples: int) -> str:
    """Compare the rows with the tool's own totals.

    Raises
    ------
    SystemExit
        If a sample is not accounted for.
    """
    summary, missing = found["summary"], sum(found["missing"].values())
    own = {
        "Inspect .eval": summary.get("total_samples"),
        "Inspect .json": summary.get("total_samples"),
        "lm-evaluation-harness": summary.get("sample_len"),
        "promptfoo": sum(summary.get(key, 0) for key in ("successes", "failures", "errors")),
        "DeepEval": summary.get("passed", 0) + summary.get("failed", 0),
        "garak": _processed(summary),
    }.get(kind)
    if own is not None and own != found["rows"]:
        raise SystemExit(f"{kind}: {found['rows']} rows, {own} by the tool's own summary")
    says = "the tool's own total" if own is not None else "as written"
    return f"{found['rows']:,} of {own or samples:,} samples ({says}), {missing:,} of them without a reply"


def _processed(summary: dict[str, Any]) -> int | None:
    """Add up what garak processed: several detectors look at the same outputs of a probe."""
    of_probe: dict[str, int] = {}
    for name, one in summary.items():
        if not isinstance(one, dict) or "total_processed" not in one:
            continue
        probe = name.partition(" ")[0]
        of_probe[probe] = max(of_probe.get(probe, 0), one["total_processed"])
    return sum(of_probe.values()) or None


REAL = {
    "Inspect .eval": "inspect/whole.eval",
    "Inspect .json": "inspect/whole.json",
    "lm-evaluation-harness": "lm-evaluation-harness/samples_*.jsonl",
    "promptfoo": "promptfoo/whole.json",
    "DeepEval": "deepeval/whole.json",
    "garak": "garak/*.report.jsonl",
}
"""Where `tests.fixtures.make` puts what the tools write."""


def _row(kind: str, found: dict[str, Any], samples: int) -> tuple[str, str, str]:
    figure = f"{found['seconds']:.1f} s of CPU, {found['rss']:.0f} MB"
    return f"{kind}, {found['size']:,.0f} MB", figure, accounted(kind.partition(",")[0], found, samples)


def of_the_tools(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Give a row for each log that a tool made."""
    for kind, pattern in REAL.items():
        for path in folder.glob(pattern):
            yield _row(f"{kind}, by the tool", measured(path), 0)


def gigabytes(*kinds: str) -> Iterator[tuple[str, str, str]]:
    """Give a row for a log of each of these kinds that is a gigabyte long."""
    for kind in kinds:
        name, write = KINDS[kind]
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / name, SAMPLES // 8)
            each = (Path(folder) / name).stat().st_size / (SAMPLES // 8)
        samples = round(1e9 / each / 24) * 24
        yield _row(kind, made(kind, samples), samples)


def rows() -> Iterator[tuple[str, str, str]]:
    """Give the rows of the table."""
    for kind in KINDS:
        yield _row(kind, made(kind, SAMPLES), SAMPLES)
    yield from gigabytes("Inspect .json")


def wanted(first: str = "", *others: str) -> Iterator[tuple[str, str, str]]:
    """Give the rows that the command line asks for."""
    if first == "--gigabyte":
        return gigabytes(*(others or KINDS))
    return of_the_tools(Path(first)) if first else rows()


if __name__ == "__main__":
    for row in wanted(*sys.argv[1:]):
        print(" | ".join(row), flush=True)
