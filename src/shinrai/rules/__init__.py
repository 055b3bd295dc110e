"""What rule books ask: which requirement a claim answers, where each requirement stands, and how risky a system is."""

from __future__ import annotations
