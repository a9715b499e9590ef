from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets_tests.bench.growth.child import Cost
from two_tower_assets_tests.bench.growth.fitting import exponent, growths, lines_of
from two_tower_assets_tests.bench.record import Record, read_record
from two_tower_assets_tests.bench.report import Moved

SIZES = [10_000, 100_000, 1_000_000]


def costs(stage: str, seconds: list[float], mib: list[float]) -> list[Cost]:
    return [
        Cost(stage, size, rows=size, seconds=time, cpu_seconds=time, peak_mib=400 + memory, before_mib=400)
        for size, time, memory in zip(SIZES, seconds, mib, strict=True)
    ]


@pytest.mark.parametrize(("values", "expected"), [([1, 10, 100], 1.0), ([1, 100, 10_000], 2.0), ([7, 7, 7], 0.0)])
def test_the_exponent_is_the_slope_of_the_logarithms(values: list[float], expected: float) -> None:
    """Linear growth has 1, quadratic 2, none 0."""
    assert exponent(SIZES, values, least=0.5) == pytest.approx(expected, abs=1e-9)


def test_sizes_that_are_all_fixed_cost_are_left_out() -> None:
    """0.1 s at the two smaller sizes would hide that the largest is ten times the middle one."""
    assert exponent(SIZES, [0.3, 0.6, 6.0], least=0.5) == pytest.approx(1.0)
    assert exponent(SIZES, [0.1, 0.1, 0.1], least=0.5) is None
    assert exponent(SIZES, [0.01, 0.1, 10.0], least=0.5) == pytest.approx(2.0)


def test_what_grows_faster_than_the_bound_or_takes_more_memory_is_missed(tmp_path: Path) -> None:
    """A line a stage for each; memory is judged at every size."""
    found = [*costs("good", [1, 10, 100], [40, 400, 3000]), *costs("bad", [1, 30, 900], [0, 0, 4000])]
    lines = list(lines_of(found))
    assert [line.met for line in lines] == [True, True, False, False]
    assert lines[2].ratio == pytest.approx(1.477, abs=1e-3)
    assert (lines[2].seconds, lines[2].peak_mib, lines[2].moved) == (900, 4400, Moved(1_000_000, "rows"))
    Record.of(lines).write(tmp_path)
    assert read_record(tmp_path / "bench.json").lines == tuple(lines)
    assert [growth.stage for growth in growths(found)] == ["good", "bad"]
