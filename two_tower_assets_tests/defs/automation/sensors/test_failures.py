from __future__ import annotations

import json
import logging

import dagster as dg
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info

from two_tower_assets.defs.automation.failure_notice import Notice
from two_tower_assets.defs.automation.webhook import post
from two_tower_assets.errors import NotificationError
from two_tower_assets_tests.defs.automation.ticking import Live, tick
from two_tower_assets_tests.defs.automation.webhook_server import webhook

SENSOR = "tell_of_failures"
JOB = "rollback"
NOTICE = Notice(
    job="release", run_id="r", step="publishing/release", error="It broke.", code="x", what_next="Mend it."
)


def fail(live: Live, instance: dg.DagsterInstance) -> str:
    """Run a job that fails for a reason meant for people: nothing was released before."""
    job = live.definitions.resolve_job_def(JOB)
    return job.execute_in_process(instance=instance, raise_on_error=False).run_id


def watching(live: Live, instance: dg.DagsterInstance) -> str | None:
    """The cursor of a sensor that was turned on after one failure."""
    fail(live, instance)
    return tick(live, SENSOR, instance).cursor


def test_a_failure_is_told_once_with_the_next_step(
    empty: Live, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Job, run, step, what went wrong and what to do; failures from before the sensor was on are not told."""
    with webhook() as server:
        monkeypatch.setenv("TWO_TOWER_FAILURE_WEBHOOK", server.url)
        cursor = watching(empty, instance)
        run = fail(empty, instance)
        told = tick(empty, SENSOR, instance, cursor)
        tick(empty, SENSOR, instance, told.cursor)
    (body,) = server.taken
    assert (body["job"], body["run_id"], body["step"]) == (JOB, run, "make_an_earlier_release_live")
    assert body["error"] == "There is no earlier release to go back to."
    assert body["code"] == "release_refused"
    assert body["what_next"] == "Name the version to make live."
    assert body["text"].startswith("rollback failed at make_an_earlier_release_live: There is no earlier release")


def test_after_a_downtime_every_failure_is_told(
    empty: Live, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One a tick, in order, none twice."""
    with webhook() as server:
        monkeypatch.setenv("TWO_TOWER_FAILURE_WEBHOOK", server.url)
        cursor = watching(empty, instance)
        runs = [fail(empty, instance) for _ in range(3)]
        for _ in range(5):
            cursor = tick(empty, SENSOR, instance, cursor).cursor
    assert [body["run_id"] for body in server.taken] == runs


def test_without_a_webhook_the_tick_says_so(empty: Live, instance: dg.DagsterInstance) -> None:
    """The reason names the run and the variable."""
    cursor = watching(empty, instance)
    run = fail(empty, instance)
    said = tick(empty, SENSOR, instance, cursor).skipped or ""
    assert run in said
    assert "TWO_TOWER_FAILURE_WEBHOOK" in said


def test_no_secret_is_told(
    empty: Live, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    """Neither passwords nor keys that an error repeats, nor the webhook itself."""
    with webhook() as server:
        monkeypatch.setenv("TWO_TOWER_FAILURE_WEBHOOK", server.url)
        monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "sb_secret_of_the_service_role")
        cursor = watching(empty, instance)

        @dg.op
        def careless() -> None:
            message = f"could not reach {database} with sb_secret_of_the_service_role for {server.url}"
            raise RuntimeError(message)

        @dg.job
        def leaky() -> None:
            careless()

        leaky.execute_in_process(instance=instance, raise_on_error=False)
        tick(empty, SENSOR, instance, cursor)
    (body,) = server.taken
    text = json.dumps(body)
    assert "could not reach postgresql://postgres:***@" in text
    assert "with *** for ***" in text
    password = database.split(":")[2].split("@", maxsplit=1)[0]
    assert not any(secret in text for secret in (password, "sb_secret", "secret-path"))


def test_a_busy_webhook_is_asked_again_and_one_that_refuses_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """Four times in all; no error holds the address, in no part of it, and no log."""
    caplog.set_level(logging.DEBUG)
    with webhook(503, 429) as server:
        post(server.url, NOTICE)
        assert (server.asked, len(server.taken)) == (3, 1)
    with webhook(*[500] * 9) as server:
        with pytest.raises(NotificationError, match="it answers with 500") as busy:
            post(server.url, NOTICE)
        assert server.asked == 4
    with webhook(404, 404) as server:
        with pytest.raises(NotificationError, match="The webhook refuses with 404") as refused:
            post(server.url, NOTICE)
        assert server.asked == 1
    with pytest.raises(NotificationError, match="ConnectError") as gone:
        post(server.url, NOTICE)
    for caught in (busy, refused, gone):
        shown = serializable_error_info_from_exc_info((caught.type, caught.value, caught.tb))
        assert "secret-path" not in shown.to_string()
    assert "secret-path" not in caplog.text
