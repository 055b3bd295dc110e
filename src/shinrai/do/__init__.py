"""Do: bring facts in. Documents, observed values, and logs of what happened elsewhere."""

from __future__ import annotations

from shinrai.do.decisions import import_decisions
from shinrai.do.observing import observe_table
from shinrai.do.statements import attest, observe

__all__ = ["attest", "import_decisions", "observe", "observe_table"]
