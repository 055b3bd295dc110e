"""One writer in each workspace: the others wait for their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from shinrai.errors import StoreError
from shinrai.i18n import _


@contextmanager
def lock(root: Path, *, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the workspace's lock while writing.

    The operating system keeps the lock and frees it when its process ends, however it ends. Taken again by the thread
    that has it, it is simply held a little longer.

    Parameters
    ----------
    root : Path
        Folder of the workspace.
    waiting : callable, optional
        Called once, before waiting, when another process has the lock.

    Yields
    ------
    None
        While the lock is held.

    Raises
    ------
    StoreError
        If nothing can be written there, or the file system has no locks.
    """
    path = root / ".shinrai" / "lock"
    try:
        path.parent.mkdir(exist_ok=True)
        # A file instead of a lock (fallback_to_soft) would outlive a killed process; the file itself stays where it is,
        # because removing it while others wait at it would let two of them in.
        held = FileLock(path, is_singleton=True, fallback_to_soft=False, preserve_lock_file=True, poll_interval=0.1)
        try:
            held.acquire(blocking=False)
        except Timeout:
            if waiting is not None:
                waiting()
            held.acquire()
    except (OSError, NotImplementedError) as error:
        raise StoreError(
            "workspace.no-lock",
            _("{path} cannot be locked: {reason}").format(path=path, reason=error),
            hint=_("the workspace must be on a disk where this user may write and which has file locks"),
        ) from error
    try:
        yield
    finally:
        held.release()


def locked(root: Path) -> bool | None:
    """Tell whether another process holds the workspace's lock now: whether somebody is at work in it.

    Parameters
    ----------
    root : Path
        Folder of the workspace.

    Returns
    -------
    bool or None
        False where there is no lock file: nobody was ever at work. None where it cannot be found out, because the file
        may not be opened or the file system has no locks.
    """
    path = root / ".shinrai" / "lock"
    if not path.is_file():
        return False
    held = FileLock(path, fallback_to_soft=False, preserve_lock_file=True)
    try:
        held.acquire(blocking=False)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return None
    held.release()
    return False
