"""What is no part of the figures, or is with a doubt."""

from __future__ import annotations

from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import section
from two_tower_assets.experiments.readout.figures import Readout
from two_tower_assets.experiments.readout.words import excluded


def left_out(readout: Readout) -> Html:
    """A line each; nothing to say is said, too."""
    lines = [element("li", line) for line in excluded(readout.exclusions)]
    return section("left-out", "Left out", None, element("ul", lines) if lines else element("p", "Nothing."))
