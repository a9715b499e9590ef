"""What differs between two releases: figures, settings, data, vocabularies, files and videos.

Figures come from the evidence that was kept; data, vocabularies and files from the manifests in the versions'
folders, where those are on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from two_tower_assets.artifacts.manifest import Manifest, manifest_hash
from two_tower_assets.contract import Files
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.listing import (
    HEADLINES,
    ReleaseDetails,
    VideoChanges,
    compare_videos,
    find_details,
    flatten,
)

_DATA: Final = (
    "data",
    "reference_released_at",
    "tag_vocab_size",
    "actress_vocab_size",
    "video_vocab_size",
    "user_feature_dim",
    "item_feature_dim",
)
"""Keys of the metadata that say what a model learned from."""


@dataclass(frozen=True)
class Change:
    """A value in two releases; None where it has none."""

    name: str
    before: Any
    after: Any

    @property
    def difference(self) -> float | None:
        """After minus before, when both are numbers."""
        numbers = all(isinstance(value, int | float) for value in (self.before, self.after))
        return float(self.after - self.before) if numbers else None


@dataclass(frozen=True)
class LocalFiles:
    """A version's folder on this machine."""

    folder: Path
    manifest: Manifest | None
    """None when the folder is not here."""
    is_released: bool
    """Whether the manifest is the one that was released."""


@dataclass(frozen=True)
class ReleaseDiff:
    """Two releases side by side."""

    before: ReleaseDetails
    after: ReleaseDetails
    figures: tuple[Change, ...]
    """Every figure of the evaluation and of the index that one of them has."""
    settings: tuple[Change, ...] | None
    """Settings that differ, by dotted key; None when those of one of them are not known."""
    data: tuple[Change, ...]
    """What the models learned from; empty when a folder is not here."""
    files: tuple[Change, ...]
    """Public files as (size, hash); empty when a folder is not here."""
    local: tuple[LocalFiles, LocalFiles]
    videos: VideoChanges | None
    """None when the vectors of one of them were dropped."""


def compare_releases(url: str, artifacts: Path, before: str, after: str | None = None) -> ReleaseDiff:
    """Compare two releases.

    Args:
        url: the serving database.
        artifacts: the folder of all model versions.
        before: a version.
        after: another; by default the live one.

    Raises:
        PublishingError: one of them is unknown or has no evidence, they are the same, or nothing is live.
        ArtifactError: a folder is here and its manifest is unreadable.
        DatabaseError: there is no connection.
    """
    one, other = find_details(url, before), find_details(url, after)
    if one.model_version == other.model_version:
        raise PublishingError(
            f"{before} {'is the live release' if after is None else 'was named twice'}: there is nothing to compare",
            where=before,
            remedy="Name two versions; `two-tower releases` lists all.",
        )
    for release in (one, other):
        _require_evidence(release)
    local = (local_files(artifacts, one), local_files(artifacts, other))
    return ReleaseDiff(
        before=one,
        after=other,
        figures=tuple(sorted(_changes(_figures(one), _figures(other)), key=_by_place)),
        settings=_differing_settings((one, local[0]), (other, local[1])),
        data=_changes(*(_data(files) for files in local)) if _both_here(local) else (),
        files=_changes(*(_files(files) for files in local)) if _both_here(local) else (),
        local=local,
        videos=compare_videos(url, one, other),
    )


def local_files(artifacts: Path, release: ReleaseDetails) -> LocalFiles:
    """Look for a version's folder on this machine.

    Raises:
        ArtifactError: it is here and its manifest is unreadable.
    """
    folder = artifacts / release.model_version
    if not (folder / Files.MANIFEST).is_file():
        return LocalFiles(folder, None, is_released=False)
    return LocalFiles(
        folder, Manifest.read(folder / Files.MANIFEST), is_released=manifest_hash(folder) == release.manifest_hash
    )


def _require_evidence(release: ReleaseDetails) -> None:
    if not release.evidence:
        raise PublishingError(
            f"Version {release.model_version} ({release.state}) has no evidence, so no figures to compare",
            where=release.model_version,
            remedy=f"Publish it to its end (`two-tower run`), or look at it alone: "
            f"`two-tower release show {release.model_version}`.",
        )


def _figures(release: ReleaseDetails) -> dict[str, Any]:
    return {**release.figures, **{f"ann.{name}": found for name, found in flatten(release.evidence.get("ann", {}))}}


def _by_place(change: Change) -> tuple[bool, bool, str]:
    """Headlines first, the index's figures last: the registry keeps no order of keys."""
    return change.name not in HEADLINES, change.name.startswith("ann."), change.name


def _differing_settings(*releases: tuple[ReleaseDetails, LocalFiles]) -> tuple[Change, ...] | None:
    known = [_settings(*release) for release in releases]
    if not all(known):
        return None
    return tuple(change for change in _changes(*known) if change.before != change.after)


def _settings(release: ReleaseDetails, files: LocalFiles) -> dict[str, Any]:
    """The recipe that was kept with the release, else what its metadata repeat of it."""
    if release.recipe or files.manifest is None:
        return release.recipe
    return dict(flatten(files.manifest.model_meta.get("config", {})))


def _data(files: LocalFiles) -> dict[str, Any]:
    assert files.manifest is not None
    meta = files.manifest.model_meta
    return dict(flatten({key: meta[key] for key in _DATA if key in meta}))


def _files(files: LocalFiles) -> dict[str, tuple[int, str]]:
    assert files.manifest is not None
    return {file.path: (file.size, file.sha256) for file in files.manifest.files}


def _both_here(local: tuple[LocalFiles, LocalFiles]) -> bool:
    return all(files.manifest is not None for files in local)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Pair the values of equal keys, in the order of the first, then what only the second has."""
    return tuple(Change(name, before.get(name), after.get(name)) for name in {**before, **after})
