from __future__ import annotations

import base64
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from two_tower_assets.defs.sketches import MOST_CHARACTERS, sketch

SVG = "{http://www.w3.org/2000/svg}"
VALUES = st.floats(-1e9, 1e9, width=32)


def drawing(markdown: str) -> ElementTree.Element:
    image = base64.b64decode(markdown.partition("base64,")[2].removesuffix(")"))
    return ElementTree.fromstring(image)  # noqa: S314 - drawn by the code under test


def places(path: ElementTree.Element) -> list[tuple[int, int]]:
    """The points that a path goes through."""
    moves = [pair.replace("-", " -").replace("+", " ").split() for pair in path.attrib["d"].removeprefix("m").split()]
    steps = np.array(moves, dtype=int).cumsum(axis=0)
    return [(int(x), int(y)) for x, y in steps]


# Lines that go up and down all the way, below a range that takes many digits, are the longest to write.
@example([-2.5e8, 2.5e8] * 150, [2.5e8, -2.5e8] * 150)
@example([-2.5e8, 2.5e8] * 11, [2.5e8, -2.5e8] * 11)
@given(st.lists(VALUES, max_size=300), st.lists(VALUES, max_size=300))
def test_two_lines_are_always_short_enough_to_be_shown_on_the_page(likes: list[float], nopes: list[float]) -> None:
    """Whatever is drawn stays under the length that the UI hides, within the picture."""
    lines = {"LIKE": list(enumerate(likes)), "NOPE": list(enumerate(nopes))}
    markdown = sketch(lines, start="2026-01-05", end="2026-12-28")
    assert len(markdown) <= MOST_CHARACTERS
    if likes or nopes:
        for path in drawing(markdown).iter(f"{SVG}path"):
            assert all(0 <= x <= 400 and 20 <= y <= 70 for x, y in places(path))


def test_a_line_goes_from_its_first_to_its_last_point() -> None:
    """Points are at their share of the width and of the range, high values above."""
    picture = drawing(sketch({"loss": [(1, 4.0), (2, 1.0), (5, 2.0)]}, start="step 1", end="step 5"))
    assert places(next(picture.iter(f"{SVG}path"))) == [(0, 20), (100, 70), (400, 53)]
    assert [text.text for text in picture.iter(f"{SVG}text")] == ["4", "step 1: low 1", "step 5", "loss"]


def test_both_lines_share_their_range() -> None:
    """The smaller line lies below the larger one, and each has its own colour."""
    picture = drawing(sketch({"LIKE": [(0, 1.0), (1, 1.0)], "NOPE": [(0, 3.0), (1, 3.0)]}, start="a", end="b"))
    first, second = picture.iter(f"{SVG}path")
    assert [y for _, y in places(first)] == [70, 70]
    assert [y for _, y in places(second)] == [20, 20]
    assert first.attrib["stroke"] != second.attrib["stroke"]


@pytest.mark.parametrize("lines", [{"loss": []}, {"LIKE": [], "NOPE": []}])
def test_nothing_to_draw_is_said(lines: dict[str, list[tuple[float, float]]]) -> None:
    assert sketch(lines, start="a", end="b") == "nothing was measured"
