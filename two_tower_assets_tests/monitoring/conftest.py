from __future__ import annotations

import pytest

from two_tower_assets.monitoring.judging import Judge
from two_tower_assets.monitoring.observed import Observed
from two_tower_assets_tests.monitoring.observing import judge_of, sample


@pytest.fixture(scope="session")
def observed() -> Observed:
    """A sample in which nothing was planted. Nobody may change it."""
    return sample()


@pytest.fixture(scope="session")
def judge(observed: Observed) -> Judge:
    """Of the sample's first sixteen weeks."""
    return judge_of(observed)
