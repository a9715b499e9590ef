"""Looks at drift as the job `monitor` leaves them behind, with what they found said beforehand."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from two_tower_assets.defs.monitoring.looking import DRIFT_FILE
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.store import Facts
from two_tower_assets.monitoring.records import DriftReport, Reading
from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.defs.automation.ticking import Live
from two_tower_assets_tests.publishing.releasing import NEW

END = CUTOFF + timedelta(days=10)


def look(live: Live, *, found: float, version: str = NEW, end: datetime = END) -> None:
    """Leave what the asset leaves after a look: one figure, whose bound is 1."""
    reading = Reading(
        key="decisions.is_like.truths",
        name="share of LIKEs",
        family="decisions",
        measure="difference",
        value=found,
        bound=1.0,
        rows=10,
        labels=("no", "yes"),
        reference=(1.0, 0.0),
        current=(0.0, 1.0),
    )
    start = end - timedelta(days=7)
    report = DriftReport(model_version=version, cutoff=CUTOFF, start=start, end=end, readings=(reading,))

    def fill(into: Path) -> Facts:
        (into / DRIFT_FILE).write_text(report.model_dump_json())
        return {}

    site = Workspace(home=str(live.home)).site
    site.store.build("monitoring/drift", f"{found}{version}{end.isoformat()}".replace(":", ""), site.home.root, fill)
