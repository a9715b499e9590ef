from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from two_tower_assets_tests.defs.automation.looks import END, look
from two_tower_assets_tests.defs.automation.ticking import Live, going, tick
from two_tower_assets_tests.publishing.releasing import NEW, OLD

SENSOR = "retrain_on_drift"


def test_drift_begins_one_retrain(live: Live, instance: dg.DagsterInstance) -> None:
    """Named by release and window; the next tick over the same look begins none."""
    look(live, found=2.0)
    first = tick(live, SENSOR, instance)
    assert first.keys == [f"drift from {NEW} until {END.isoformat()}"]
    again = tick(live, SENSOR, instance, first.cursor)
    assert not again.keys
    assert "was begun and not released" in (again.skipped or "")


def test_a_tick_that_was_cut_off_before_it_could_remember_asks_for_the_same_run(
    live: Live, instance: dg.DagsterInstance
) -> None:
    """Dagster begins no second run for a key it knows."""
    look(live, found=2.0)
    once, again = (tick(live, SENSOR, instance) for _ in range(2))
    assert once.keys == again.keys
    assert once.keys


def test_a_quiet_look_begins_nothing(live: Live, instance: dg.DagsterInstance) -> None:
    """It says at which version and when."""
    look(live, found=0.5)
    said = tick(live, SENSOR, instance)
    assert not said.keys
    assert f"No drift from version {NEW}" in (said.skipped or "")


def test_a_look_at_another_version_begins_nothing(live: Live, instance: dg.DagsterInstance) -> None:
    """What has drifted from the release before may be just what the live one has learned."""
    look(live, found=2.0, version=OLD)
    said = tick(live, SENSOR, instance)
    assert not said.keys
    assert "was not at version" in (said.skipped or "")


def test_before_any_look_it_says_what_to_start(live: Live, instance: dg.DagsterInstance) -> None:
    """As it does before the first release."""
    assert "start the job `monitor`" in (tick(live, SENSOR, instance).skipped or "")


def test_before_the_first_release_nothing_is_begun(empty: Live, instance: dg.DagsterInstance) -> None:
    """Even where a look was left behind by a home that is used again."""
    look(empty, found=2.0)
    said = tick(empty, SENSOR, instance)
    assert not said.keys
    assert "Start the job `release`" in (said.skipped or "")


@pytest.mark.parametrize("ended", [False, True])
def test_it_does_not_begin_what_another_has_begun(live: Live, instance: dg.DagsterInstance, *, ended: bool) -> None:
    """A release of the news sensor or of a person, going or over, has learned from what the look saw."""
    look(live, found=2.0)
    run = going(live, instance, "release")
    if ended:
        instance.report_run_canceled(run)
    said = tick(live, SENSOR, instance)
    assert not said.keys
    assert run.run_id in (said.skipped or "")


def test_after_a_refused_retrain_it_waits_for_later_drift(live: Live, instance: dg.DagsterInstance) -> None:
    """A window that ends a week later begins the next."""
    look(live, found=2.0)
    first = tick(live, SENSOR, instance)
    look(live, found=2.0, end=END + timedelta(days=6))
    early = tick(live, SENSOR, instance, first.cursor)
    assert not early.keys
    look(live, found=2.0, end=END + timedelta(days=7))
    assert len(tick(live, SENSOR, instance, first.cursor).keys) == 1
