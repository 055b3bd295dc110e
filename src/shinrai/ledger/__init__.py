"""The append-only, hash-chained record, and what it adds up to.

Reading what the entries add up to (`State` and its parts) needs no database; the store is imported when it is first
asked for, so that commands which never open a ledger do not pay for SQLAlchemy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from shinrai.ledger.projection import ClaimState, Entry, Finding, Judgement, Promise, Run, State, fold, project

if TYPE_CHECKING:
    from shinrai.ledger.chain import Fault
    from shinrai.ledger.checkpoint import Checkpoint
    from shinrai.ledger.keys import make_key_pair
    from shinrai.ledger.store import Ledger, create
    from shinrai.ledger.verify import Verification
else:
    _LATE = {
        "Checkpoint": "shinrai.ledger.checkpoint",
        "Fault": "shinrai.ledger.chain",
        "Ledger": "shinrai.ledger.store",
        "Verification": "shinrai.ledger.verify",
        "create": "shinrai.ledger.store",
        "make_key_pair": "shinrai.ledger.keys",
    }

    def __getattr__(name):  # noqa: ANN001, ANN202 - hidden from the type checker, which sees the imports above
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_LATE[name]), name)


__all__ = [
    "Checkpoint",
    "ClaimState",
    "Entry",
    "Fault",
    "Finding",
    "Judgement",
    "Ledger",
    "Promise",
    "Run",
    "State",
    "Verification",
    "create",
    "fold",
    "make_key_pair",
    "project",
]
