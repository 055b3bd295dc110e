"""``shinrai why``: from a verdict up to the decision it serves."""

from __future__ import annotations

from shinrai.cli.threads import command

__all__ = ["command"]
