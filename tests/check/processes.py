"""Runs in a process of their own, so that they can be killed; and the system and promises that they measure."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec

from shinrai.check.journal import Line
from tests.check.town import Town
from tests.servers.endpoint import Endpoint, Reply

CHILD = """
import os, resource, signal, sys
from pathlib import Path
from shinrai.check import check
from shinrai.check.events import RunBegan
from shinrai.errors import ShinraiError
from shinrai.ledger import Ledger
from shinrai.records import Budget

root = Path(sys.argv[1])
with Ledger.open("sqlite:///.shinrai/ledger.db", root=root) as ledger:

    def limit_files(event):
        if len(sys.argv) > 2 and isinstance(event, RunBegan):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))

    try:
        engine = os.environ.get("TEST_ENGINE", "one")
        hosts = ["127.0.0.1"]
        for verdict in check(root, ledger, budget=Budget(), allowed_hosts=hosts, tell=limit_files, engine=engine):
            counts = verdict.counts
            print(verdict.claim, verdict.status, counts.total, counts.failed, verdict.lower, verdict.upper)
    except ShinraiError as error:
        print(error.code)
    except KeyboardInterrupt:
        print("interrupted")
"""


def child(town: Town, *arguments: str, engine: str = "one") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(town.root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TEST_ENGINE": engine},
    )


def outcome(process: subprocess.Popen[str]) -> list[str]:
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert errors == ""
    return out.splitlines()


def paced(prompt: str, _attempt: int) -> Reply:
    return Reply("no" if int(prompt.split()[1]) % 9 == 0 else "yes", delay=0.004)


def prepared(town: Town, endpoint: Endpoint) -> None:
    town.chat(endpoint.url)
    town.prompts(300)
    town.promise("p/g/m/a", threshold=0.25)
    town.promise("p/g/m/b", threshold=0.05)
    town.promise("p/g/m/c", threshold=0.12)


def lines_in(data: bytes) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in data.splitlines()]
