"""The page and the words: every state that monitoring may be in."""

from __future__ import annotations

import pytest

from two_tower_assets.monitoring.judging import Judge
from two_tower_assets.monitoring.observed import Observed
from two_tower_assets.monitoring.page import render
from two_tower_assets.monitoring.plots import churn_plot, drift_plot
from two_tower_assets.monitoring.records import DriftReport, Health
from two_tower_assets.monitoring.simulation.drifts import DRIFTS
from two_tower_assets.monitoring.simulation.vectors import simulated_releases
from two_tower_assets.monitoring.vectors import examine
from two_tower_assets_tests.monitoring.observing import CUTOFF, SETTINGS, WEEK


@pytest.fixture(scope="module")
def drifted(observed: Observed, judge: Judge) -> DriftReport:
    """Prices rose."""
    return judge.judge(DRIFTS["prices rise by 30 %"](observed, CUTOFF), CUTOFF + WEEK, "20260101T000000Z-0123456")


def test_before_anything_was_looked_at_the_page_says_so() -> None:
    """It has all its sections."""
    page = render(Health(drift=DriftReport(reason="No release is live")), "sample")
    assert "Nothing was compared: No release is live." in page
    assert all(f'id="{key}"' in page for key in ("state", "drift", "likes", "vectors"))


def test_drift_is_said_first_and_shown_by_bins(drifted: DriftReport, observed: Observed) -> None:
    """The banner names the figures, and each has its table of bins; names of a source are escaped."""
    before, again, _ = simulated_releases(observed, 0)
    health = Health(drift=drifted, vectors=examine(again, before, SETTINGS))
    page = render(health, "<sample>")
    assert "&lt;sample&gt;" in page
    assert "Look closer" in page
    assert "Price of the catalogue:" in page
    assert page.count("trained on</th>") == len(drifted.readings)
    assert Health.model_validate_json(health.model_dump_json()) == health


def test_plots_are_small_pngs(drifted: DriftReport, observed: Observed) -> None:
    """They are kept in Dagster's event log."""
    before, again, _ = simulated_releases(observed, 0)
    for image in (drift_plot(drifted), churn_plot(examine(again, before, SETTINGS))):
        assert image.startswith(b"\x89PNG")
        assert len(image) < 100_000
