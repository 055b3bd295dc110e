"""What holds for every test."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import shutil
import signal
import sqlite3
import warnings
from pathlib import Path
from typing import Any

from hypothesis import settings

# A busy machine must not fail a test: how long things take is measured in bench/, never here. Examples are drawn anew
# in each run, except in CI: there the same tree gives the same answer.
settings.register_profile("shinrai", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("shinrai")

# Tests that were started in the background of a script (`make test &`) are given SIGINT as ignored, and would hand that
# on to every program that they interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Ledgers and journals wait for the disk at every record, and a test has hundreds of them: an eighth of the time. Where
# memory serves as a disk and has room, tests write there; what a passed test wrote is taken away again.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes folders of its own in it, as in any other
if os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > 4 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))

# Collecting five thousand tests makes some hundred thousand objects that stay until the end. Looking through them again
# and again for what could be freed took a fifth of the time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    gc.unfreeze()  # what is still there when the process ends is then taken apart as ever


class _Watched(sqlite3.Connection):
    """A connection that says which test opened it when nobody has closed it.

    From Python 3.13 on all do, but blame the test that happens to run when they are collected; before, none does.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._opened = os.getpid(), os.environ.get("PYTEST_CURRENT_TEST", "a test that was collected")

    def __del__(self) -> None:
        opened_by, test = getattr(self, "_opened", (None, ""))
        if opened_by != os.getpid():
            return  # a copy in a forked process: it is the parent's to close
        with contextlib.suppress(sqlite3.ProgrammingError):  # closed
            self.total_changes  # noqa: B018 - the only question that a closed connection refuses and any thread may ask
            with contextlib.suppress(sqlite3.ProgrammingError):  # opened in another thread
                self.close()
            warnings.warn(f"{test} left a database open", ResourceWarning, source=self, stacklevel=2)


# The one that SQLAlchemy calls.
sqlite3.dbapi2.connect = functools.partial(sqlite3.dbapi2.connect, factory=_Watched)  # type: ignore[assignment]  # whose many signatures a partial has not
