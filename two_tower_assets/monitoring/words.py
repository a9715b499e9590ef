"""What was found, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from two_tower_assets.evaluation.page.formats import counted, minute, percent
from two_tower_assets.monitoring.figures import MEASURES
from two_tower_assets.monitoring.records import DriftReport, Health, LiveLikes, Reading, VectorHealth


def health_words(health: Health) -> Iterator[str]:
    """Say all of it, one sentence a line."""
    yield from drift_words(health.drift)
    compared, live = health.drift.model_version, health.vectors.model_version
    if compared and live and compared != live:
        yield f"Version {live} has gone live since; the next look compares with it."
    yield from likes_words(health.likes)
    yield from vectors_words(health.vectors)


def drift_words(report: DriftReport) -> Iterator[str]:
    """Say whether anything has drifted, and each figure that has."""
    if report.reason is not None:
        yield f"Nothing was compared: {report.reason}."
        return
    window = f"{minute(report.start)} to {minute(report.end)}"
    base = f"{counted(report.decisions, 'decision')} of {counted(report.users, 'user')}, {window}"
    if not report.drifted:
        yield (
            f"No drift: {len(report.readings)} figures of {base} are as when version {report.model_version} was "
            "trained."
        )
    else:
        yield (
            f"Drift: {counted(len(report.drifted), 'figure')} of {len(report.readings)} have moved since version "
            f"{report.model_version} was trained ({base})."
        )
    yield from (reading_words(reading) for reading in report.drifted)
    yield (
        f"{counted(report.new_videos, 'new video')} and {counted(report.retired_videos, 'retired one')} since "
        f"{minute(report.cutoff)}, of {report.videos:,}."
    )


def reading_words(reading: Reading) -> str:
    """Say how far a figure has moved, and where most."""
    assert reading.value is not None
    at = reading.most_moved
    where = "" if reading.labels == ("no", "yes") else f" of {reading.labels[at]}"
    at = len(reading.labels) - 1 if not where else at
    moved = f"{percent(reading.reference[at])} → {percent(reading.current[at])}{where}"
    name = reading.name[:1].upper() + reading.name[1:]
    return f"{name}: {moved} ({MEASURES[reading.measure]} {reading.value:.3f}, bound {reading.bound:.3f})."


def likes_words(likes: LiveLikes) -> Iterator[str]:
    """Say how each version's lists were liked."""
    if likes.reason is not None:
        yield f"Like rates are not known: {likes.reason}."
        return
    for rate in likes.rates:
        if rate.rate is None:
            yield f"{rate.model_version}, {rate.source}: nobody decided on any of {counted(rate.lists, 'list')}."
            continue
        ends = f" (95 % interval {percent(rate.rate.low)} to {percent(rate.rate.high)})" if rate.rate.high else ""
        liked = f"{percent(rate.rate.mean)} of {counted(rate.decisions, 'decision')} are LIKEs"
        yield f"{rate.model_version}, {rate.source}: {liked}{ends}."
    for version in likes.surely_worse:
        yield f"Version {version}'s own suggestions are liked less than popular ones, more than by chance."


def vectors_words(vectors: VectorHealth) -> Iterator[str]:
    """Say whether vectors are sound, and what a release changed."""
    if vectors.videos:
        yield (
            f"{vectors.videos:,} video vectors of version {vectors.model_version} use {vectors.dimension or 0:.1f} "
            f"directions; the largest error of a length is {vectors.largest_norm_error:.1g}."
        )
    if vectors.churn is not None:
        yield (
            f"{percent(vectors.churn.mean)} of a video's nearest neighbours are others than in version "
            f"{vectors.previous_version} (95 % interval {percent(vectors.churn.low)} to "
            f"{percent(vectors.churn.high)}; unrelated releases: {percent(vectors.chance_churn)})."
        )
    if vectors.reason is not None:
        yield f"{vectors.reason}."
    yield from (f"{problem[:1].upper()}{problem[1:]}." for problem in vectors.problems)
