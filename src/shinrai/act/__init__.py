"""Act: what a broken promise leads to. Findings, actions, acceptance, and the gate."""

from __future__ import annotations

from shinrai.act.agenda import Move, agenda
from shinrai.act.applying import apply
from shinrai.act.findings import owners, sync
from shinrai.act.gate import gate, gate_of_pairings, gate_of_stages, worst
from shinrai.act.reach import Cause, Hit, hits

__all__ = [
    "Cause",
    "Hit",
    "Move",
    "agenda",
    "apply",
    "gate",
    "gate_of_pairings",
    "gate_of_stages",
    "hits",
    "owners",
    "sync",
    "worst",
]
