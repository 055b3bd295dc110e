"""Project reviews: reading a file 3-1 as large as that of 2025, and making plans of all of it."""

from __future__ import annotations

import csv
import multiprocessing
import resource
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

from shinrai.do.reviews import no_collection, projects, read_reviews
from tests.do.reviews import sheets

ROWS = 128_516
"""Of the published file 3-1 of 2025, the header not counted."""
LINKS = 31_726
"""Of the published file 3-2 of 2025."""
_NODES = 8
"""Indicators of a project: with four rows each, about as many projects as there are."""


def generate(folder: Path) -> list[Path]:
    """Write files of that size, with texts as long as the ministries write them, and results of four years."""
    text = "相談に要する時間が短くなり、住民が必要な支援を早く受けられるようになること。" * 3
    goals, links = sheets.HEADERS["3-1"], sheets.HEADERS["3-2"]
    paths = [folder / "3-1_RS_2025.csv", folder / "3-2_RS_2025.csv"]
    with paths[0].open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, goals, restval="")
        writer.writeheader()
        written = 0
        for number in range(ROWS):
            project, node = divmod(number, _NODES)
            rows = sheets.indicator(
                f"{project:06}",
                str(node),
                level="アウトプット" if node < _NODES // 2 else "アウトカム",
                metric=f"指標{node}",
                targets={year: _target(number, year) for year in range(2022, 2028)},
                actuals={year: f"{800 + number % 30_011 + year % 7}.5" for year in range(2021, 2025)},
                rates={},
                more={sheets.STATEMENT: f"{text}{number}", sheets.ORIGIN: f"霞省の調査 {project}"},
            )
            for row in rows[: ROWS - written]:
                writer.writerow(row)
                written += 1
            if written == ROWS:
                break
    with paths[1].open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, links, restval="")
        writer.writeheader()
        for number in range(LINKS):
            project, node = divmod(number, _NODES - 1)
            levels = ["アウトプット" if one < _NODES // 2 else "アウトカム" for one in (node, node + 1)]
            ends = (str(node), levels[0]), (str(node + 1), levels[1])
            writer.writerow(sheets.link(f"{project:06}", *ends, "次の段階につながる"))
    return paths


def _target(number: int, year: int) -> str:
    """Give round numbers to every second indicator, and to the others numbers of their own."""
    return "100" if number % 2 else str(900 + number - 7 * year % 31)


class _Figures(NamedTuple):
    """Seconds of wall and of CPU, for reading and for all; memory in MiB; what was made."""

    read: float
    read_cpu: float
    whole: float
    whole_cpu: float
    memory: int
    plans: int
    parts: int
    observations: int


def _measure(paths: list[Path], results: multiprocessing.SimpleQueue[_Figures]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    made = parts = observations = 0
    with no_collection():  # as the command does
        reviews = read_reviews(paths)
        read, read_cpu = time.perf_counter() - wall, time.process_time() - cpu
        for project in projects(reviews, date(2025, 9, 30)):
            made += 1
            parts += len(project.plan.results) + len(project.plan.links)
            observations += len(project.observations)
    whole, whole_cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    assert reviews.rows["3-1"] == ROWS
    results.put(_Figures(read, read_cpu, whole, whole_cpu, memory, made, parts, observations))


def _apart(paths: list[Path]) -> _Figures:
    """Measure in a process of its own, so that the memory is that of the import."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.SimpleQueue[_Figures] = context.SimpleQueue()
    process = context.Process(target=_measure, args=(paths, results))
    process.start()
    found = results.get()
    process.join()
    return found


def _floor(paths: list[Path]) -> float:
    """Give the seconds of CPU that `csv.reader` alone takes, which keeps nothing of what it reads."""
    begun = time.process_time()
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for _row in csv.reader(file):
                pass
    return time.process_time() - begun


def rows() -> list[tuple[str, str, str]]:
    """Measure the file that the promise is about, and then the links of file 3-2 with it.

    Wall seconds are held against the promise; CPU seconds, which other programs disturb less, against `csv.reader`.
    """
    found = []
    with tempfile.TemporaryDirectory() as folder:
        paths = generate(Path(folder))
        for given, what in (
            (paths[:1], f"the {ROWS:,} rows of file 3-1"),
            (paths, f"those and {LINKS:,} rows of file 3-2"),
        ):
            size = sum(path.stat().st_size for path in given) / 1e6
            floor, one = _floor(given), _apart(given)
            made = f"{one.plans:,} plans with {one.parts:,} nodes and links and {one.observations:,} observations"
            found += [
                (f"read {what} ({size:.0f} MB)", *_told(one.read, one.read_cpu, floor)),
                (f"read them and make {made}", *_told(one.whole, one.whole_cpu, floor)),
                ("memory at its highest", f"{one.memory} MiB", "at most 1 GB"),
            ]
    return found


def _told(wall: float, cpu: float, floor: float) -> tuple[str, str]:
    return f"{wall:.2f} s", f"at most 5 s; {cpu:.2f} s of CPU = {cpu / floor:.1f} × csv.reader alone ({floor:.2f} s)"


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
