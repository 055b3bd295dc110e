"""New ledgers for workspaces of tests that are about something else than how a ledger is set up."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from shinrai.ledger import Ledger, create

URL = "sqlite:///.shinrai/ledger.db"


def empty_ledger(root: Path) -> Ledger:
    """Open a ledger in which nothing stands yet but its beginning.

    It is a copy of one that was set up before: keys, tables and a first signed checkpoint take four times as long. So
    all ledgers of one process have the same keys.
    """
    shutil.copytree(_begun(), root, dirs_exist_ok=True)
    return Ledger.open(URL, root=root)


@cache
def _begun() -> Path:
    folder = Path(mkdtemp(prefix="ledger-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    create(URL, folder, "town").close()
    return folder
