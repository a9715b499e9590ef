"""The two sensors that begin a retrain, beside each other, the night and people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest

from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.defs.automation.looks import look
from two_tower_assets_tests.defs.automation.ticking import Live, going, tick

NEWS, DRIFT = "retrain_on_news", "retrain_on_drift"
BOTH = pytest.mark.parametrize("sensor", [NEWS, DRIFT])
# Dagster's own, of a job that is run in this process.
pytestmark = pytest.mark.filterwarnings("ignore:.*dagster_run is deprecated:DeprecationWarning")


@pytest.fixture
def live(live: Live) -> Live:
    """Each sensor has a reason to begin a retrain: five decisions, and no video that is new."""
    with psycopg.connect(live.url) as connection:
        connection.execute("update public.videos set created_at = %s", (CUTOFF - timedelta(days=1),))
    live.decide(5, CUTOFF)
    return live


def retrain(instance: dg.DagsterInstance, *, breaks_at: str) -> None:
    """Run a job of the release's name, with two of its steps, up to a failure."""

    def step(name: str, **wiring: dict[str, dg.In] | dict[str, dg.Out]) -> dg.OpDefinition:
        @dg.op(name=name, **wiring)  # type: ignore[arg-type]
        def body() -> None:
            if name == breaks_at:
                raise dg.Failure

        return body

    @dg.job(name="release")
    def release() -> None:
        step("publishing__release", ins={"judged": dg.In(dg.Nothing)})(step("evaluation__verdict")())

    assert not release.execute_in_process(instance=instance, raise_on_error=False).success


@BOTH
def test_a_retrain_that_was_refused_is_not_repeated_in_the_same_night(
    live: Live, instance: dg.DagsterInstance, sensor: str
) -> None:
    """Whoever began it: it has learned from what there was, and the gate's answer would be the same."""
    retrain(instance, breaks_at="publishing__release")
    look(live, found=2.0)
    said = tick(live, sensor, instance)
    assert not said.keys
    expected = "0 of 5 new decisions" if sensor == NEWS else "has learned from almost all"
    assert expected in (said.skipped or "")


@BOTH
def test_a_retrain_that_broke_before_the_gate_has_learned_nothing(
    live: Live, instance: dg.DagsterInstance, sensor: str
) -> None:
    """The reason for one is still there."""
    retrain(instance, breaks_at="evaluation__verdict")
    look(live, found=2.0)
    assert len(tick(live, sensor, instance).keys) == 1


def test_news_that_came_after_a_refused_retrain_begin_the_next(live: Live, instance: dg.DagsterInstance) -> None:
    """They are counted from its beginning on, by a cursor that remembers it."""
    retrain(instance, breaks_at="publishing__release")
    quiet = tick(live, NEWS, instance)
    live.decide(5, datetime.now(UTC), first_user=100)
    assert len(tick(live, NEWS, instance, quiet.cursor).keys) == 1


@BOTH
@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_while_a_retrain_runs_none_is_begun(
    live: Live, instance: dg.DagsterInstance, sensor: str, status: dg.DagsterRunStatus
) -> None:
    """It is named. What is queued is shown with the daemon."""
    look(live, found=2.0)
    run = going(live, instance, "release", status=status)
    said = tick(live, sensor, instance)
    assert not said.keys
    assert run.run_id in (said.skipped or "")
