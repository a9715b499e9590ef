from __future__ import annotations

import threading
import time
from xml.etree import ElementTree

import pytest

from two_tower_assets.profiling.flame import flame_graph, folded
from two_tower_assets.profiling.sampler import sampled


def busy(seconds: float) -> str:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
    return "done"


def idle(over: threading.Event) -> None:
    over.wait()


def test_what_takes_the_time_is_met_most_often() -> None:
    """Stacks begin with the work; a thread that waits for something to do is not counted."""
    over = threading.Event()
    waiting = threading.Thread(target=idle, args=(over,))
    waiting.start()
    value, stacks = sampled(lambda: busy(0.3), seconds=0.002)
    over.set()
    waiting.join()
    assert value == "done"
    # Servers of other tests may work in this process, with stacks of their own.
    ours = {stack: count for stack, count in stacks.items() if stack[0].startswith(f"{__name__}.")}
    inside = sum(count for stack, count in ours.items() if stack[-1] == f"{__name__}.busy")
    assert 2 * inside >= sum(ours.values()) > 0
    assert all(len(stack) <= 2 for stack in ours)
    assert not any(f"{__name__}.idle" in stack for stack in stacks)


def test_a_failure_of_the_work_is_its_own() -> None:
    """And the thread that looked is gone."""
    with pytest.raises(ZeroDivisionError):
        sampled(lambda: 1 // 0)
    assert "profile" not in {thread.name for thread in threading.enumerate()}


def test_the_picture_is_svg_with_shares_and_the_stacks_are_lines() -> None:
    """Boxes as wide as their share of 1200, callers above; what is too narrow to be read is left out."""
    stacks = {("m.work", "m.<lambda>"): 750, ("m.work",): 249, ("m.rare",): 1}
    assert folded(stacks).splitlines() == ["m.work;m.<lambda> 750", "m.work 249", "m.rare 1"]
    root = ElementTree.fromstring(flame_graph(stacks, "a & b"))  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    boxes = {
        group.findtext(f"{space}title"): float(group.find(f"{space}rect").attrib["width"])
        for group in root.iter(f"{space}g")
    }
    assert boxes == {"m.work 99.9%": 1198.8, "m.<lambda> 75.0%": 900.0}
