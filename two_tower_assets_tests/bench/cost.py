"""What a piece of work takes: its seconds, and the most memory that it held. What it moved only its stage knows."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Cost:
    """Filled when the work is done."""

    seconds: float = 0.0
    before_mib: float | None = None
    """Resident memory of the process when the work began, MiB; None where there is no /proc, as outside Linux."""
    peak_mib: float | None = None
    """The most meanwhile, or None."""

    @property
    def grown_mib(self) -> float | None:
        """By how much the process grew at its peak."""
        return None if self.peak_mib is None or self.before_mib is None else max(0.0, self.peak_mib - self.before_mib)


@contextmanager
def measured(process: int | str = "self", *, afresh: bool = True) -> Iterator[Cost]:
    """Measure what is done inside; another `measured` of the same process must not begin meanwhile.

    Seconds are those of the wall. Memory is what is resident, as the kernel counts it: `VmHWM` of /proc/PID/status,
    begun anew by /proc/PID/clear_refs. What an allocator kept of earlier work would not be seen to grow again.

    Args:
        process: whose memory it is: ours, or the id of a process that works for us, such as a database session.
            What that one shares with others, as sessions share the database's buffers, counts where it touches it.
        afresh: whether the C library gives back first what it kept. Repetitions, whose seconds are compared, do
            without: they would pay for the same pages again and again.
    """
    if afresh:
        _give_back()
    _forget_peak(process)
    cost = Cost(before_mib=resident_mib("VmRSS", process))
    begun = time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - begun
    cost.peak_mib = resident_mib("VmHWM", process)


def in_turns(
    *works: Callable[[], object],
    turns: int,
    warm_up: int = 0,
    of: Callable[[Sequence[float]], float] = min,
    process: int | str = "self",
) -> list[Cost]:
    """Measure works in alternation, so that a busy moment hits all alike.

    Args:
        works: what is done, again and again.
        turns: how often each is counted.
        warm_up: turns before, whose seconds are not counted; their memory is, since the first turn often takes most.
        of: the seconds that stand for all, such as the least or the median. Memory is of the turn that grew most.
        process: as for `measured`.
    """
    found: list[list[Cost]] = [[] for _ in works]
    for turn in range(warm_up + turns):
        for work, costs in zip(works, found, strict=True):
            with measured(process, afresh=turn == 0) as cost:
                work()
            costs.append(cost)
    return [together(costs, of, warm_up) for costs in found]


def together(costs: Sequence[Cost], of: Callable[[Sequence[float]], float] = min, warm_up: int = 0) -> Cost:
    """Return what stands for several turns of the same work; the arguments are those of `in_turns`."""
    most = max(costs, key=lambda cost: cost.grown_mib or 0.0)
    return Cost(of([cost.seconds for cost in costs[warm_up:]]), most.before_mib, most.peak_mib)


def _give_back() -> None:
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _forget_peak(process: int | str) -> None:
    switch = Path(f"/proc/{process}/clear_refs")
    if switch.exists():
        switch.write_text("5", encoding="ascii")


def resident_mib(name: str, process: int | str = "self") -> float | None:
    """MiB of a line of /proc/PID/status, such as VmRSS or VmHWM; None without such a file.

    `ru_maxrss` of a child would begin with that of its parent.
    """
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return None
    (kib,) = (
        line.split()[1] for line in status.read_text(encoding="ascii").splitlines() if line.startswith(f"{name}:")
    )
    return int(kib) / 1024
