"""Project reviews: reading a file 3-1 as large as that of 2025, and making plans of all of it."""

from __future__ import annotations

import csv
import multiprocessing
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

from shinrai.do.reviews import projects, read_reviews
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
                targets={year: str(900 - 7 * year % 31) for year in range(2022, 2028)},
                actuals={year: f"{800 + node + year % 7}.5" for year in range(2021, 2025)},
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


def _measure(paths: list[Path], results: multiprocessing.SimpleQueue[tuple[float, float, int, int, int, int]]) -> None:
    begun = time.perf_counter()
    reviews = read_reviews(paths)
    read = time.perf_counter() - begun
    made = nodes = links = observations = 0
    for project in projects(reviews, date(2025, 9, 30)):
        made += 1
        nodes += len(project.plan.results)
        links += len(project.plan.links)
        observations += len(project.observations)
    whole = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    assert reviews.rows["3-1"] == ROWS
    results.put((read, whole, memory, made, nodes + links, observations))


def rows() -> list[tuple[str, str, str]]:
    """Measure in a process of its own, so that the memory is that of the import."""
    with tempfile.TemporaryDirectory() as folder:
        paths = generate(Path(folder))
        size = sum(path.stat().st_size for path in paths) / 1e6
        begun = time.perf_counter()
        with paths[0].open(encoding="utf-8-sig", newline="") as file:
            for _row in csv.reader(file):
                pass
        floor = time.perf_counter() - begun
        context = multiprocessing.get_context("spawn")
        results: multiprocessing.SimpleQueue[tuple[float, float, int, int, int, int]] = context.SimpleQueue()
        process = context.Process(target=_measure, args=(paths, results))
        process.start()
        read, whole, memory, made, parts, observations = results.get()
        process.join()
    return [
        (
            f"read {ROWS:,} rows of file 3-1 and {LINKS:,} of 3-2 ({size:.0f} MB)",
            f"{read:.2f} s",
            f"{read / floor:.1f} × csv.reader alone",
        ),
        (
            f"read them and make {made:,} plans with {parts:,} nodes and links and {observations:,} observations",
            f"{whole:.2f} s",
            "at most 5 s",
        ),
        ("memory at its highest", f"{memory} MiB", "at most 1 GB"),
    ]


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
