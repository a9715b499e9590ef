"""Night after night, each kept as it ends: a replay that was ended goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import dagster as dg
from pydantic import BaseModel

from two_tower_assets.defs.inputs import snapshot_of
from two_tower_assets.defs.nightly.day import measure_day
from two_tower_assets.defs.nightly.night import Build, read_sources, release
from two_tower_assets.defs.nightly.world import World
from two_tower_assets.evaluation.nightly.arrivals import DAY, rows_before
from two_tower_assets.evaluation.nightly.records import FIRST, LIVE, Arrived, Day, Night
from two_tower_assets.home import write_text

_Record = TypeVar("_Record", bound=BaseModel)


@dataclass(frozen=True)
class Replay:
    """The nights of a world, and the day after each."""

    world: World
    build: Build

    def run(self, told: Callable[[Night, bool], None]) -> tuple[list[Night], list[Day]]:
        """Replay what is not kept yet.

        Args:
            told: called after each night, with whether it was found and not made.
        """
        nights: list[Night] = []
        days: list[Day] = []
        for morning in self.world.mornings[:-1]:
            night, found = self._night(morning, nights)
            nights.append(night)
            if len(nights) > 1:
                days.append(self._day(nights[-2].morning, nights[:-1]))
            told(night, found)
        days.append(self._last_day(nights))
        return nights, days

    def _night(self, morning: datetime, before: list[Night]) -> tuple[Night, bool]:
        path = self._path("nights", morning)
        if kept := _kept(path, Night):
            return kept, True
        self.world.arrive(morning)
        site = self.world.site
        ran = release(
            self._definitions, site, live_before=before[-1].live if before else None, log=path.with_suffix(".log")
        )
        snapshot = snapshot_of(site, site.store.load("sources/videos"))
        night = Night(morning=morning, cutoff=snapshot.cutoff, arrived=self._arrived(morning), **vars(ran))
        write_text(path, night.model_dump_json(indent=1))
        return night, False

    def _day(self, morning: datetime, nights: list[Night]) -> Day:
        """The day after the last of some nights; the latest snapshot is that of its end."""
        path = self._path("days", morning)
        if kept := _kept(path, Day):
            return kept
        first = next((night.live for night in nights if night.live), None)
        live = nights[-1].live
        versions = {LIVE: live, FIRST: first} if live and first else {}
        day = measure_day(self.world.site, morning, morning + DAY, versions)
        write_text(path, day.model_dump_json(indent=1))
        return day

    def _last_day(self, nights: list[Night]) -> Day:
        """The day after the last night, which no night follows: its rows are read and nothing is trained."""
        end = self.world.mornings[-1]
        path = self._path("days", nights[-1].morning)
        if not path.exists():
            self.world.arrive(end)
            read_sources(self._definitions, log=path.with_suffix(".log"))
        return self._day(nights[-1].morning, nights)

    def _arrived(self, morning: datetime) -> Arrived:
        before, now = (rows_before(self.world.tables, moment) for moment in (morning - DAY, morning))
        users_before, users_now = (rows.decisions["user_id"].n_unique() for rows in (before, now))
        return Arrived(
            decisions=now.decisions.height - before.decisions.height,
            users=users_now - users_before,
            videos=now.videos.height - before.videos.height,
        )

    @property
    def _definitions(self) -> dg.Definitions:
        return self.build({"workspace": self.world.workspace})

    def _path(self, kind: str, morning: datetime) -> Path:
        folder = self.world.root / kind
        folder.mkdir(exist_ok=True)
        return folder / f"{morning:%Y-%m-%d}.json"


def _kept(path: Path, record: type[_Record]) -> _Record | None:
    return record.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else None
