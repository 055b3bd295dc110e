"""What the ledger costs over the bare database: appends and verification, against plain sqlite3 in the same run."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from shinrai.ledger import Ledger, create
from shinrai.ledger.chain import Link, seal
from shinrai.records import Judged, Payload, Ruled, Ruling, Text, TracePoint, Verdict, digest_bytes

SINGLE = 300
BATCH = 1_000
BATCHES = 5
VERIFIED = 20_000
MANY = 1_000_000

_VERIFY = """
import sys, time
from pathlib import Path
from shinrai.ledger import Ledger
root = Path(sys.argv[1])
with Ledger.open("sqlite:///ledger.db", root=root) as ledger:
    began = time.process_time()
    result = ledger.verify(root)
    seconds = time.process_time() - began
assert result.ok, result
# Not ru_maxrss: that begins with what the process that started this one had.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(result.entries, seconds, int(peak.split()[1]) / 1024)
"""


def _payload(number: int) -> Payload:
    claim = f"town/safe-answers/no-hazard/claim-{number % 97}"
    if number % 2:
        reason = Text(ja="計画の対象に名前が挙がっています。", en="The plan names this system.")
        return Ruled(ruling=Ruling(claim=claim, system="assistant", applies=True, rule="named", reason=reason))
    trace = tuple(
        TracePoint(n=n, estimate=n / 37, lower=0.012, upper=0.2, evidence_met=1.25 * n, evidence_violated=0.003)
        for n in (1, 2, 4)
    )
    verdict = Verdict(
        commitment=digest_bytes(str(number).encode()),
        claim=claim,
        system="assistant",
        status="violated",
        reason="decided",
        trace=trace,
    )
    return Judged(verdict=verdict)


def _bare(path: Path) -> sqlite3.Connection:
    bare = sqlite3.connect(path, isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, at TEXT, previous TEXT, payload TEXT, hash TEXT)")
    return bare


def _insert(bare: sqlite3.Connection, seqs: range, payload: str) -> None:
    bare.execute("BEGIN IMMEDIATE")
    rows = [(seq, "2026-01-01T00:00:00.000Z", "sha256:" + "0" * 64, payload, "sha256:" + "1" * 64) for seq in seqs]
    bare.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows)
    bare.execute("COMMIT")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _best(work: Callable[[], object], times: int = 3) -> float:
    return min(_seconds(work) for _ in range(times))


def _single(ledger: Ledger, bare: sqlite3.Connection, text: str) -> tuple[float, float]:
    payloads = [_payload(number) for number in range(SINGLE)]

    def ours() -> None:
        for payload in payloads:
            ledger.append(payload)

    def floor() -> None:
        last = bare.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0]
        for seq in range(last + 1, last + SINGLE + 1):
            _insert(bare, range(seq, seq + 1), text)

    return _best(ours), _best(floor)


def _batched(ledger: Ledger, bare: sqlite3.Connection, text: str) -> tuple[float, float]:
    payloads = [_payload(number) for number in range(BATCH)]

    def ours() -> None:
        for _ in range(BATCHES):
            ledger.append(*payloads)

    def floor() -> None:
        for _ in range(BATCHES):
            last = bare.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()[0]
            _insert(bare, range(last + 1, last + BATCH + 1), text)

    return _best(ours), _best(floor)


def _verification(root: Path) -> tuple[float, float]:
    """Verify a ledger of its own; the floor reads the same rows, parses the JSON and hashes the text, and no more."""
    with create("sqlite:///ledger.db", root, "bench") as ledger:
        ledger.append(*(_payload(number) for number in range(VERIFIED - 1)))
        ledger.checkpoint()

        def ours() -> None:
            result = ledger.verify(root)
            if not result.ok or result.entries != VERIFIED:
                raise AssertionError(result)

        def floor() -> None:
            with sqlite3.connect(root / "ledger.db") as bare:
                for (payload,) in bare.execute("SELECT payload FROM entries ORDER BY seq"):
                    json.loads(payload)
                    hashlib.sha256(payload.encode()).hexdigest()
            bare.close()

        return _best(ours), _best(floor)


def _grow(root: Path, count: int) -> None:
    """Bring a ledger to so many records. They are sealed as `Ledger.append` does, which would keep all in memory."""
    with sqlite3.connect(root / "ledger.db", isolation_level=None) as bare:
        last = Link(*bare.execute("SELECT * FROM entries ORDER BY seq DESC LIMIT 1").fetchone())
        while last.seq < count:
            links = []
            for number in range(last.seq, min(last.seq + 10_000, count)):
                last = seal(_payload(number), last, datetime.now(UTC))
                links.append(last)
            bare.execute("BEGIN IMMEDIATE")
            bare.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", links)
            bare.execute("COMMIT")
    bare.close()


def _verify_apart(root: Path, count: int) -> tuple[float, float]:
    """Verify so many records in a process of their own; give seconds of CPU and the most memory in MB."""
    _grow(root, count)
    done = subprocess.run(
        [sys.executable, "-c", _VERIFY, str(root)], capture_output=True, text=True, check=True
    ).stdout.split()
    if int(done[0]) != count:
        raise AssertionError(done)
    return float(done[1]), float(done[2])


def _many() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        create("sqlite:///ledger.db", root, "bench").close()
        few_seconds, few_memory = _verify_apart(root, VERIFIED)
        many_seconds, many_memory = _verify_apart(root, MANY)
    return [
        (
            "ledger: CPU to verify 1,000,000 records",
            f"{many_seconds:.0f} s",
            f"{many_seconds / few_seconds:.0f}× that of {VERIFIED:,}",
        ),
        (
            "ledger: largest memory while verifying 1,000,000 records",
            f"{many_memory:.0f} MB",
            f"{few_memory:.0f} MB for {VERIFIED:,}",
        ),
    ]


def rows() -> list[tuple[str, str, str]]:
    """Measure.

    Returns
    -------
    list of (what, figure, ratio to the floor)
    """
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        bare = _bare(root / "bare.db")
        text = json.dumps(_payload(2).to_json())
        with create("sqlite:///ours.db", root, "bench") as ledger:
            single, single_floor = _single(ledger, bare, text)
            batched, batched_floor = _batched(ledger, bare, text)
        bare.close()
        (root / "verified").mkdir()
        verified, verified_floor = _verification(root / "verified")
    return [
        ("ledger: appends, one a transaction", f"{SINGLE / single:,.0f}/s", f"{single / single_floor:.1f}×"),
        (
            "ledger: appends, 1,000 a transaction",
            f"{BATCH * BATCHES / batched:,.0f}/s",
            f"{batched / batched_floor:.1f}×",
        ),
        (
            "ledger: verifying 20,000 records (floor: read, parse, SHA-256)",
            f"{verified:.2f} s",
            f"{verified / verified_floor:.1f}×",
        ),
        *_many(),
    ]


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ")
