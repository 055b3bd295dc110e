from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.check.town import Town, found


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = found(tmp_path)
    try:
        yield made
    finally:
        made.ledger.close()
