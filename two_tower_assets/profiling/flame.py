"""Sampled stacks as files: one line a stack, as flame graph tools read them, and a picture that needs no tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final

from two_tower_assets.profiling.sampler import Stack

_WIDTH: Final = 1200.0
_ROW: Final = 17
_LEAST_SHARE: Final = 0.004
"""Narrower boxes are left out: nobody can read them, and the picture stays small."""
_LETTER: Final = 6.6
_COLOURS: Final = ("#ffb366", "#ffc98a", "#ffa07a", "#f7c873", "#f4a261")


def folded(stacks: Mapping[Stack, int]) -> str:
    """One line a stack, functions joined by semicolons, then how often it was met; the most frequent first."""
    ordered = sorted(stacks.items(), key=lambda item: (-item[1], item[0]))
    return "".join(f"{';'.join(stack)} {count}\n" for stack, count in ordered)


@dataclass
class _Node:
    count: int = 0
    below: dict[str, _Node] = field(default_factory=dict)


def flame_graph(stacks: Mapping[Stack, int], title: str) -> str:
    """Draw an SVG: a box a function, as wide as its share of the samples, callers above what they call."""
    root = _tree(stacks)
    boxes = list(_boxes(root, x=0.0, depth=1, total=max(root.count, 1)))
    height = _ROW * (2 + max((depth for depth, _ in boxes), default=0))
    drawn = "".join(box for _, box in boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height}" font-family="monospace" '
        f'font-size="11"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="4" y="12">{escape(title)}: {root.count:,} samples</text>{drawn}</svg>\n'
    )


def _tree(stacks: Mapping[Stack, int]) -> _Node:
    root = _Node()
    for stack, count in stacks.items():
        node = root
        node.count += count
        for name in stack:
            node = node.below.setdefault(name, _Node())
            node.count += count
    return root


def _boxes(node: _Node, *, x: float, depth: int, total: int) -> Iterator[tuple[int, str]]:
    for name, below in sorted(node.below.items(), key=lambda item: (-item[1].count, item[0])):
        width = _WIDTH * below.count / total
        if below.count < _LEAST_SHARE * total:
            continue
        yield depth, _box(name, below.count / total, x=x, y=_ROW * depth, width=width)
        yield from _boxes(below, x=x, depth=depth + 1, total=total)
        x += width


def _box(name: str, share: float, *, x: float, y: int, width: float) -> str:
    short = name.rsplit(".", 1)[-1]
    text = short[: max(0, int((width - 4) / _LETTER))]
    label = f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(text)}</text>' if text else ""
    colour = _COLOURS[sum(name.encode()) % len(_COLOURS)]
    return (
        f'<g><title>{escape(name)} {share:.1%}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
        f'height="{_ROW - 1}" fill="{colour}"/>{label}</g>'
    )
