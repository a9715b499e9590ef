"""The simulation behind the bounds: rates as they are promised, and what it says where it cannot plant anything."""

from __future__ import annotations

from two_tower_assets.monitoring.simulation.drifts import DRIFTS
from two_tower_assets.monitoring.simulation.trials import COLLAPSE, Found, try_worlds
from two_tower_assets.monitoring.simulation.worlds import real_worlds, sample_worlds
from two_tower_assets.settings import SampleSettings
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets_tests.monitoring.observing import SETTINGS


def test_quiet_weeks_stay_quiet_and_drifts_are_found() -> None:
    """Of four sample worlds: no more alarms than promised, and in the first every drift within a week."""
    *_, found = try_worlds(sample_worlds(4, SETTINGS), planted=1)
    assert sum(found.weeks) == 28
    assert found.holds(SETTINGS.false_alarms_a_week)
    assert set(found.delays) == {*DRIFTS, COLLAPSE}
    for name in found.delays:
        assert found.share_found(name) == 1.0, name
        assert found.median_delay(name) <= 8, name


def test_real_people_moved_in_time_are_quiet_too() -> None:
    """Each keeps what they did, and how much of it; only when moves, by whole weeks."""
    tables = generate_sample(SampleSettings(seed=5))
    (world,) = real_worlds(tables, 1, SETTINGS)
    hours = (tables.decisions, world.observed.decisions)
    common = [set(each["created_at"].dt.time().to_list()) for each in hours]
    assert common[1] <= common[0]
    *_, found = try_worlds(iter([world]), planted=0)
    assert found.holds(SETTINGS.false_alarms_a_week)


def test_many_alarms_are_not_what_was_promised() -> None:
    """Five of a hundred weeks are more than one, however lucky one may be."""
    found = Found(weeks=[10] * 20, alarms=[1] * 20)
    assert not found.holds(0.01)
    assert found.rate == 0.1
