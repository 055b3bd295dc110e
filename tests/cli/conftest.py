"""A small real workspace: a predictor that breaks its promise until an action changes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cycle import ADDER, call, found

Run = Callable[..., int]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    root = tmp_path / "town"
    found(root, ADDER)
    return root


@pytest.fixture
def run(town: Path) -> Run:
    return lambda *arguments: call("-C", str(town), *arguments)
