"""Ticks of the code location's own schedule and sensors, taken by hand, and rows that give them something to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import dagster as dg
import psycopg

from two_tower_assets.database.connection import connect
from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.experiments import registry
from two_tower_assets.experiments.definition import define
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.database.rows import add_video, user_id, video_id
from two_tower_assets_tests.publishing.releasing import OLD

EXPERIMENT: Final = "e"


@dataclass(frozen=True)
class Live:
    """A home, and the database that it serves from."""

    url: str = field(repr=False)
    home: Path
    target: Target

    @property
    def resources(self) -> dict[str, Workspace]:
        return {"workspace": Workspace(home=str(self.home))}

    @property
    def definitions(self) -> dg.Definitions:
        return build_defs(self.resources)

    def decide(self, count: int, at: datetime, *, first_user: int = 1) -> None:
        """Write LIKEs of as many users at a moment."""
        with psycopg.connect(self.url) as connection:
            for user in range(first_user, first_user + count):
                connection.execute(
                    "insert into public.user_video_decisions values (%s, %s, 'like', %s)"
                    " on conflict (user_id, video_id) do update set created_at = excluded.created_at",
                    (user_id(user), video_id(0), at),
                )

    def begin_experiment(self, share: str = "1", version: str = OLD) -> None:
        """Serve a share of all users by what is live (`control`) or by a version (`former`)."""
        arms = [{"name": "control", "weight": 0.5}, {"name": "former", "weight": 0.5, "model_version": version}]
        planned = define(name=EXPERIMENT, salt="e", arms=arms, primary_metric="like_rate", planned_users=1000)
        with connect(self.url, autocommit=True) as connection:
            registry.create(connection, planned)
            registry.start(connection, EXPERIMENT, Decimal(share))

    def stop_experiment(self) -> None:
        """Serve everybody by what is live again."""
        with connect(self.url, autocommit=True) as connection:
            registry.stop(connection, EXPERIMENT)

    def add_videos(self, *numbers: int, **columns: object) -> list[str]:
        """Write new active videos."""
        with psycopg.connect(self.url) as connection:
            return [add_video(connection, number, **columns) for number in numbers]


@dataclass(frozen=True)
class Tick:
    """What a tick said, and what is remembered."""

    keys: Sequence[str | None]
    skipped: str | None
    cursor: str | None


def tick(live: Live, sensor: str, instance: dg.DagsterInstance, cursor: str | None = None) -> Tick:
    """Evaluate a sensor of the code location once."""
    definitions = live.definitions
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, definitions=definitions, resources=live.resources
    )
    data = definitions.get_repository_def().get_sensor_def(sensor).evaluate_tick(context)
    requests = data.run_requests or []
    return Tick([request.run_key for request in requests], data.skip_message, data.cursor)


def going(
    live: Live,
    instance: dg.DagsterInstance,
    job: str,
    *assets: str,
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED,
) -> dg.DagsterRun:
    """Record a run of a job, or of some of its assets, as begun by somebody else."""
    chosen = frozenset(dg.AssetKey(asset.split("/")) for asset in assets)
    return instance.create_run_for_job(
        live.definitions.resolve_job_def(job),
        status=status,
        asset_selection=chosen or None,
    )
