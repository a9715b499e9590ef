from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets_tests.bench.cost import Cost, in_turns, measured, resident_mib, together

MIB = 1 << 20
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is read from Linux's /proc"
)


@needs_proc
def test_memory_is_what_the_work_held_at_its_peak() -> None:
    """What was held before is not counted, nor is what an earlier work held; what was given back meanwhile is."""
    held = np.ones(100 * MIB, np.uint8)
    with measured() as large:
        np.ones(200 * MIB, np.uint8).sum()
    with measured() as small:
        np.ones(64 * MIB, np.uint8).sum()
    assert len(held) == 100 * MIB
    assert large.grown_mib == pytest.approx(200, abs=20)
    assert small.grown_mib == pytest.approx(64, abs=20)
    assert small.peak_mib == pytest.approx(resident_mib("VmRSS") + 64, abs=20)


@needs_proc
def test_another_process_is_measured_by_its_id() -> None:
    """Its memory is its own, whatever ours does meanwhile."""
    work = (
        "import sys; sys.stdin.readline(); x = bytearray(200 << 20); print(len(x), flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        with measured(child.pid) as cost:
            child.stdin.write("begin\n")
            assert child.stdout.readline() == f"{200 * MIB}\n"
            np.ones(300 * MIB, np.uint8).sum()
        child.stdin.write("end\n")
    assert cost.grown_mib == pytest.approx(200, abs=30)


def test_works_take_turns_and_the_first_ones_seconds_may_not_count() -> None:
    """The order is that of the arguments, again and again; the costs are in that order, too."""
    order: list[str] = []
    costs = in_turns(lambda: order.append("a"), lambda: order.append("b"), turns=2, warm_up=1)
    assert order == ["a", "b"] * 3
    assert len(costs) == 2


def test_turns_are_told_by_their_seconds_and_by_the_memory_of_the_one_that_grew_most() -> None:
    """A warm-up's seconds are left out, and its memory is not."""
    costs = [Cost(9.0, 100.0, 300.0), Cost(2.0, 290.0, 310.0), Cost(4.0, 300.0, 300.0)]
    assert together(costs, warm_up=1) == Cost(2.0, 100.0, 300.0)
    assert together(costs, of=max) == Cost(9.0, 100.0, 300.0)
    assert together([Cost(1.0)]) == Cost(1.0)


@needs_proc
@pytest.mark.parametrize(("afresh", "expected"), [(True, 78), (False, 0)])
def test_what_the_allocator_kept_of_earlier_work_is_seen_to_grow_again(afresh: bool, expected: float) -> None:
    """Small pieces, freed but kept since a later one is still held, would hide that as many are needed again."""
    pieces = [np.ones(1024, np.float64) for _ in range(10_000)]
    later = np.ones(1024, np.float64)
    del pieces
    with measured(afresh=afresh) as cost:
        again = [np.ones(1024, np.float64) for _ in range(10_000)]
    assert (len(again), len(later)) == (10_000, 1024)
    assert cost.grown_mib == pytest.approx(expected, abs=20)
