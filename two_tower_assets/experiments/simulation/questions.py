"""All questions to the statistics of experiments, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from two_tower_assets.experiments.simulation.answer import Answer
from two_tower_assets.experiments.simulation.logged import logged_lists
from two_tower_assets.experiments.simulation.made import made_lists
from two_tower_assets.experiments.simulation.rankers import two_rankings
from two_tower_assets.experiments.simulation.two_arms import two_arms
from two_tower_assets.experiments.simulation.worlds import World

EXPERIMENTS: Final = 2000


def answers(*, experiments: int = EXPERIMENTS, real: World | None = None) -> Iterator[Answer]:
    """Put every question; the same numbers each time.

    Args:
        experiments: of each question.
        real: real people, if there are any at hand.
    """
    yield from two_arms(experiments, real)
    yield from two_rankings(experiments)
    yield from logged_lists(experiments)
    yield from made_lists(experiments)
