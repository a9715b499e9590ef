"""Which figures of a window have drifted from the reference."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl

from two_tower_assets.monitoring.counting import Counted, Crowd, Numbers, count
from two_tower_assets.monitoring.observed import Observed, Window
from two_tower_assets.monitoring.records import DriftReport, Reading
from two_tower_assets.monitoring.reference import Crowded, Reference
from two_tower_assets.monitoring.thresholds import FEWEST_WINDOWS, bounds, distances, quiet_distances
from two_tower_assets.settings import MonitoringSettings

LOOKS_A_WEEK: Final = 7
"""A look a day, each at the days before it, is what the settings' rate of false alarms is shared among."""


class Judge:
    """Compares windows with one reference; what quiet windows of a size do is simulated once.

    Args:
        reference: of the live release.
        settings: how often it may be wrong, and what is too little to matter.
    """

    def __init__(self, reference: Reference, settings: MonitoringSettings) -> None:
        self.reference = reference
        self._settings = settings
        self._quiet: dict[tuple[Crowd, int, int], Numbers] = {}
        self._bounds: dict[tuple[int, ...], dict[Crowd, Numbers]] = {}

    def judge(self, observed: Observed, end: datetime, model_version: str) -> DriftReport:
        """Compare the days before a moment with the reference.

        Args:
            observed: the rows as they are now.
            end: of the window, which begins at the cut-off at the earliest.
            model_version: the release that the reference belongs to.
        """
        window = Window.before(end, self.reference.window_days)
        report = DriftReport(
            model_version=model_version, cutoff=self.reference.cutoff, start=window.start, end=window.end
        )
        if reason := self._too_early(window):
            return report.model_copy(update={"reason": reason})
        counted: dict[Crowd, Counted] = {
            name: count(crowded.layout, observed, window, self.reference.vocabularies)
            for name, crowded in self.reference.crowds.items()
        }
        report = report.model_copy(update=self._sizes(observed, window, counted))
        if report.users < self._settings.fewest_users:
            return report.model_copy(
                update={
                    "reason": f"{report.users} users decided something in the window; of fewer than "
                    f"{self._settings.fewest_users} (monitoring.fewest_users) nothing is said"
                }
            )
        return report.model_copy(update={"readings": tuple(self._readings(counted, self._ahead(window)))})

    def _too_early(self, window: Window) -> str | None:
        windows = len(self.reference.crowds["people"].blocks)
        if windows < FEWEST_WINDOWS:
            return (
                f"The release was trained on {windows} windows of {self.reference.window_days} days in which "
                f"anything was decided; how windows differ is told from {FEWEST_WINDOWS} on"
            )
        if window.start < self.reference.cutoff:
            since = max(0, (window.end - self.reference.cutoff).days)
            return (
                f"{since} of {self.reference.window_days} days have passed since the data of the release ended; a "
                "window is compared when it is whole"
            )
        return None

    def _sizes(self, observed: Observed, window: Window, counted: dict[Crowd, Counted]) -> dict[str, int]:
        videos = counted["videos"].blocks
        since = pl.col("created_at").is_between(self.reference.cutoff, window.end, closed="left")
        new = observed.catalogue.filter(pl.col("is_active") & since).height
        before = int(self.reference.crowds["videos"].size_W.sum())
        decided = observed.decisions.filter(pl.col("created_at").is_between(window.start, window.end, closed="left"))
        return {
            "users": counted["people"].blocks,
            "decisions": decided.height,
            "videos": videos,
            "new_videos": new,
            "retired_videos": max(0, before + new - videos),
        }

    def _ahead(self, window: Window) -> int:
        """Windows from the reference's last to this one, rounded up to a power of two."""
        passed = (window.end - self.reference.cutoff).days / self.reference.window_days
        return 1 << math.ceil(math.log2(passed))

    def _readings(self, counted: dict[Crowd, Counted], ahead: int) -> Iterator[Reading]:
        found = self._bounds_for({crowd: each.blocks for crowd, each in counted.items()}, ahead)
        for crowd, each in counted.items():
            crowded = self.reference.crowds[crowd]
            yield from _read(crowded, each, found[crowd])

    def _bounds_for(self, sizes: dict[Crowd, int], ahead: int) -> dict[Crowd, Numbers]:
        """Bounds for windows of about this size: rounded down, so that they are rather too high."""
        rounded = {crowd: _rounded(size) for crowd, size in sizes.items()}
        known = (*rounded.values(), ahead)
        if known not in self._bounds:
            crowds = self.reference.crowds
            self._bounds[known] = bounds(
                {crowd: crowded.layout for crowd, crowded in crowds.items()},
                {crowd: self._quiet_of(crowd, size, ahead) for crowd, size in rounded.items()},
                {crowd: self._smallest(crowded) for crowd, crowded in crowds.items()},
                self._settings.false_alarms_a_week / LOOKS_A_WEEK,
            )
        return self._bounds[known]

    def _quiet_of(self, crowd: Crowd, size: int, ahead: int) -> Numbers:
        crowded = self.reference.crowds[crowd]
        # One window has no trend.
        key = (crowd, size, ahead if len(crowded.blocks) > 1 else 1)
        if key not in self._quiet:
            self._quiet[key] = quiet_distances(crowded, size, self._settings.draws, ahead=key[2])
        return self._quiet[key]

    def _smallest(self, crowded: Crowded) -> Numbers:
        smallest = {
            "psi": self._settings.smallest_psi,
            "jensen_shannon": self._settings.smallest_jensen_shannon,
            "difference": self._settings.smallest_difference,
        }
        return np.array([smallest[figure.measure] for figure in crowded.layout.figures])


def _read(crowded: Crowded, counted: Counted, bound_F: Numbers) -> Iterator[Reading]:
    layout, reference_K = crowded.layout, crowded.shares
    current_K = layout.shares(counted.totals)
    distance_F = distances(layout, reference_K, current_K)
    for figure, distance, bound in zip(layout.figures, distance_F.tolist(), bound_F.tolist(), strict=True):
        place = layout.places[figure.key]
        then, now = reference_K[place], current_K[place]
        yield Reading(
            key=figure.key,
            name=figure.name,
            family=figure.family,
            measure=figure.measure,
            value=distance if then.any() and now.any() else None,
            bound=bound,
            rows=int(counted.totals[place].sum()),
            labels=layout.bins[figure.key].labels,
            reference=tuple(then.tolist()),
            current=tuple(now.tolist()),
        )


def _rounded(size: int) -> int:
    """Cut down to 1, 1.5, 2, 2.5 … 9.5 times a power of ten."""
    step = max(1, int(5 * 10.0 ** (len(str(size)) - 2)))
    return max(1, size // step * step)
