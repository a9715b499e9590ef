"""Is the Dagster instance reachable, of this version's schema, and does its daemon run where something needs it?"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus

from two_tower_assets.database.connection import connect
from two_tower_assets.doctor.finding import Finding, ok, problem, unused

_CONFIGURATION: Final = "dagster.yaml"
_URL: Final = "DAGSTER_POSTGRES_URL"
_ENVIRONMENT = threading.Lock()


@dataclass
class Instance:
    """One instance, opened when first asked for; looks at it may run side by side."""

    folder: Path
    """DAGSTER_HOME."""
    url: str | None = field(repr=False)
    """Its storage, named for psycopg2; None where it is the embedded Postgres, which does not run."""
    own: bool
    """Whether all its runs are of this machine."""
    _opened: dg.DagsterInstance | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def missing(self) -> Finding | None:
        """Why there is nothing to look at, or None."""
        if not (self.folder / _CONFIGURATION).exists():
            return unused("no Dagster instance was made yet (`two-tower env` makes it)", where=str(self.folder))
        if self.url is None and self._is_in_postgres:
            return unused(
                "its storage in the embedded Postgres does not run, or was not made yet", where=str(self.folder)
            )
        return None

    @property
    def _is_in_postgres(self) -> bool:
        """Whether the configuration names the variable; somebody's own may not."""
        return _URL in (self.folder / _CONFIGURATION).read_text(encoding="utf-8")

    def opened(self) -> dg.DagsterInstance:
        """Return Dagster's own object.

        Raises:
            DatabaseError: its Postgres does not answer, which Dagster would tell without saying where and what to do.
        """
        with self._lock:
            if self._opened is None:
                if self._is_in_postgres:
                    assert self.url is not None
                    connect(self.url).close()
                with _variable(_URL, self.url or ""):
                    self._opened = dg.DagsterInstance.from_config(str(self.folder))
            return self._opened

    def close(self) -> None:
        """Close its connections."""
        with self._lock:
            if self._opened is not None:
                self._opened.dispose()


def look_at_storage(instance: Instance) -> Iterator[Finding]:
    """Count the runs, and compare the schema with that of the installed Dagster."""
    if instance.missing:
        yield instance.missing
        return
    opened = instance.opened()
    runs, where = opened.get_runs_count(), str(instance.folder)
    storages = (opened.run_storage, opened.event_log_storage, opened.schedule_storage)
    revisions = [storage.alembic_version() for storage in storages if storage is not None]
    if any(found is not None and found[0] != found[1] for found in revisions):
        yield problem("its tables are of another version of Dagster", where=where, remedy="dagster instance migrate")
    else:
        yield ok(f"storage answers, {runs:,} runs", where=where)


def look_at_daemon(instance: Instance) -> Iterator[Finding]:
    """Ask for heartbeats where a schedule or a sensor is on, or a run is queued."""
    if instance.missing:
        yield instance.missing
        return
    opened, where = instance.opened(), str(instance.folder)
    waiting = _waiting(opened)
    statuses = [status for status in opened.get_daemon_statuses().values() if status.required]
    silent = [status for status in statuses if not status.healthy]
    if not silent:
        yield ok(f"{len(statuses)} daemons have a heartbeat", where=where)
    elif not waiting:
        yield unused("no schedule or sensor is on and no run is queued, so no daemon is needed", where=where)
    else:
        last = max((status.last_heartbeat.timestamp for status in silent if status.last_heartbeat), default=None)
        since = "ever" if last is None else f"since {datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M} UTC"
        names = ", ".join(sorted(status.daemon_type.lower() for status in silent))
        yield problem(
            f"{waiting}, but there is no heartbeat {since} of {names}",
            where=where,
            remedy="Run `dagster-daemon run` (`two-tower ui` brings one).",
        )


def _waiting(opened: dg.DagsterInstance) -> str:
    """Say what needs a daemon; empty when nothing does."""
    on = sum(state.status is InstigatorStatus.RUNNING for state in opened.all_instigator_state())
    queued = opened.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    parts = [f"{on} schedules and sensors are on" if on else "", f"{queued} runs are queued" if queued else ""]
    return " and ".join(part for part in parts if part)


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for as long as the instance's configuration is read."""
    with _ENVIRONMENT:
        before = os.environ.get(name)
        os.environ[name] = value
        try:
            yield
        finally:
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before
