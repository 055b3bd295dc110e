"""Measurements: ratios to a bare floor in the same run. ``python -m bench`` writes ``docs/benchmarks.md``."""
