"""Small worlds for the tests: one sample, and a judge of its first sixteen weeks."""

from __future__ import annotations

from datetime import datetime, timedelta

from two_tower_assets.monitoring.judging import Judge
from two_tower_assets.monitoring.observed import Observed
from two_tower_assets.monitoring.reference import Reference
from two_tower_assets.settings import MonitoringSettings, SampleSettings
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.sample_catalogue import BEGIN

SETTINGS = MonitoringSettings(draws=2000)
CUTOFF = BEGIN + timedelta(weeks=16)
WEEK = timedelta(days=7)


def sample(seed: int = 3) -> Observed:
    """Rows of half a year."""
    return Observed.of_tables(generate_sample(SampleSettings(seed=seed)))


def reference_of(observed: Observed, cutoff: datetime = CUTOFF) -> Reference:
    """What a model trained at a moment knows."""
    names = ("tags", "performers")
    known = {name: sorted(observed.catalogue.explode(name)[name].drop_nulls().unique()) for name in names}
    return Reference.of(observed, cutoff, known, SETTINGS)


def judge_of(observed: Observed, cutoff: datetime = CUTOFF) -> Judge:
    """One that compares with it."""
    return Judge(reference_of(observed, cutoff), SETTINGS)
