"""Asking two versions, by their files, about decisions of the latest snapshot that neither has learned from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.artifacts.released_model import ReleasedModel
from two_tower_assets.contract import Files
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.defs.inputs import snapshot_of
from two_tower_assets.defs.site import Site
from two_tower_assets.errors import ArtifactError, EvaluationError
from two_tower_assets.evaluation.nightly.next_day import next_day_task
from two_tower_assets.evaluation.paired.compare import DEPTH, Pair
from two_tower_assets.evaluation.paired.records import Comparison
from two_tower_assets.evaluation.paired.tastes import taste_groups
from two_tower_assets.evaluation.ranking import rank
from two_tower_assets.features.history import History
from two_tower_assets.features.times import microseconds
from two_tower_assets.settings import EvaluationSettings
from two_tower_assets.sources.requirements import database_errors
from two_tower_assets.sources.snapshot import Snapshot
from two_tower_assets.training.data import catalogue_of

_READ: Final = "Read the rows that came since (`two-tower run --select 'key:\"sources/*\"'`), then compare again."


def measure(site: Site, before: str, after: str) -> Comparison:
    """Compare two versions whose folders are on this machine, with the titles of the videos that are shown.

    Raises:
        EvaluationError, ArtifactError: as `compare_versions`.
        DatabaseError: the titles cannot be read.
    """
    snapshot = snapshot_of(site, site.store.load("sources/videos"))
    found = compare_versions(site.home.artifacts, before, after, snapshot, site.settings.evaluation)
    return found.model_copy(update={"titles": _titles(site, found)})


def compare_versions(
    artifacts: Path, before: str, after: str, snapshot: Snapshot, settings: EvaluationSettings
) -> Comparison:
    """Ask each person for what they liked in the second half of their decisions since both versions' cutoffs.

    Args:
        artifacts: folder of all versions.
        before: one version.
        after: the other.
        snapshot: with decisions that neither has learned from.
        settings: how often is resampled, and who is light.

    Raises:
        EvaluationError: nobody has liked anything since.
        ArtifactError: a version is not here, or is damaged.
    """
    models = [_open(artifacts, version) for version in (before, after)]
    begin = max(_cutoff(artifacts / version) for version in (before, after))
    history = History.from_snapshot(snapshot)
    since, until = microseconds(begin), int(history.time.max(initial=0)) + 1
    task = next_day_task(history, catalogue_of(snapshot, history, begin), since, max(since, until))
    if not len(task.users):
        raise EvaluationError(
            "Nobody whose taste is known has liked anything since both versions were trained",
            where=f"after {begin:%Y-%m-%d %H:%M:%S %Z}, in the snapshot of {snapshot.cutoff:%Y-%m-%d %H:%M:%S %Z}",
            remedy=_READ,
        )
    rankings = [rank(task, history, model.scores(snapshot, history, task), DEPTH) for model in models]
    pair = Pair(task, history, *rankings)
    tags = snapshot.videos().select("tags").collect()["tags"]
    return Comparison(
        before=before,
        after=after,
        begin=begin,
        end=snapshot.cutoff,
        likes=len(task.targets),
        groups=pair.groups(taste_groups(task, history, tags.fill_null([]).to_list()), settings),
        same=pair.same(settings),
        changed=pair.changed(),
    )


def _titles(site: Site, found: Comparison) -> dict[str, str]:
    shown = {video for each in found.changed for video in (*each.liked, *each.before, *each.after)}
    with connect(site.pipeline_url) as connection, database_errors("The videos' titles could not be read"):
        return dict(connection.execute(query("video_titles"), {"videos": sorted(shown)}).fetchall())


def _open(artifacts: Path, version: str) -> ReleasedModel:
    if not (artifacts / version).is_dir():
        here = sorted(path.name for path in artifacts.glob("*Z-*") if path.is_dir())
        raise ArtifactError(
            f"There is no version {version} on this machine; there are {', '.join(here) or 'none'}",
            where=str(artifacts),
            remedy="Name one of them, or compare on the machine that made it.",
        )
    return ReleasedModel.open(artifacts / version)


def _cutoff(folder: Path) -> datetime:
    return ModelMeta.model_validate_json((folder / Files.MODEL_META).read_text(encoding="utf-8")).data.cutoff
