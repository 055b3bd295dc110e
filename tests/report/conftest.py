from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.report.town import ReportTown, turning


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportTown]:
    with turning(tmp_path_factory.mktemp("report") / "town") as turned:
        yield turned
