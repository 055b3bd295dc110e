"""The published tables are reproduced: what `bench/statistics_tables.py` prints agrees with its references."""

import pytest

from bench.statistics_tables import rows


def numbers(cell: str) -> list[float]:
    return [float(part.replace(",", "")) for part in cell.removesuffix(" at most").split(" / ")]


def test_every_figure_is_that_of_the_reference_or_better() -> None:
    table = [row for row in rows() if row[2] != "–"]
    assert len(table) == 42
    for what, ours, reference in table:
        for one, other in zip(numbers(ours), numbers(reference), strict=True):
            shown = f"{what}: {ours} against {reference}"
            if "mean calls" in what:
                # With five failing items allowed, alternatives that are not rounded cost up to 4 %.
                assert one <= (1.04 if "500 items, limit 0.01" in what else 1.01) * other + 1.0, shown
                assert one >= 0.9 * other - 1.0, shown
            elif "right verdict" in what:
                assert one >= other - 0.01, shown
            else:
                assert one <= 0.05, shown
                assert one == pytest.approx(other, abs=0.01), shown
