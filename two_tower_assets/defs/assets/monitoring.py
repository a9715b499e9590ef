"""Assets of the monitoring: what a version was trained on, and what is found beside it afterwards."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from two_tower_assets.contract import Files
from two_tower_assets.defs import metadata
from two_tower_assets.defs.inputs import snapshot_of, space_of
from two_tower_assets.defs.monitoring.looking import (
    DRIFT_FILE,
    HEALTH_FILE,
    LIKES_FILE,
    VECTORS_FILE,
    drift_of,
    likes_of,
    vectors_of,
    watched_release,
    watched_versions,
)
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.stage import OVER_A_NETWORK, Metadata, produce, produce_in_version, stage_asset
from two_tower_assets.defs.store import Facts, Made
from two_tower_assets.home import write_text
from two_tower_assets.monitoring.records import DriftReport, Health, LiveLikes, VectorHealth
from two_tower_assets.monitoring.words import drift_words, likes_words, vectors_words

_SNAPSHOT = ("sources/profiles", "sources/videos", "sources/decisions")


@stage_asset(
    "monitoring/reference",
    inputs=[*_SNAPSHOT, "training/checkpoint", "features/normalizer"],
    kinds={"polars", "safetensors"},
)
def reference(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    profiles: Made,
    videos: Made,
    decisions: Made,
    checkpoint: Made,
    normalizer: Made,
) -> dg.MaterializeResult[Made]:
    """What the version is trained on, as counts by bin: later windows are held against it.

    It is kept with the weights, in the private bucket, and holds no id. Of a version it is made once.
    """
    from two_tower_assets.monitoring.observed import Observed
    from two_tower_assets.monitoring.reference import Reference

    site = workspace.site

    def fill(folder: Path) -> Facts:
        path = folder / Files.REFERENCE
        if not path.exists():
            snapshot, space = snapshot_of(site, decisions), space_of(site, normalizer)
            known = {"tags": space.tags, "performers": space.performers}
            observed = Observed.of_snapshot(snapshot)
            Reference.of(observed, snapshot.cutoff, known, site.settings.monitoring).save(path)
        people = Reference.load(path).crowds["people"]
        return {
            "windows": len(people.size_W),
            "users_a_window": people.size_W.tolist(),
            "figures": len(people.layout.bins),
        }

    return produce_in_version(
        context,
        site,
        checkpoint,
        names=[Files.REFERENCE],
        inputs=[profiles, videos, decisions, normalizer],
        fill=fill,
        describe=lambda made: {
            "windows": made.facts["windows"],
            "users_a_window": metadata.text_list(f"{users:,}" for users in made.facts["users_a_window"]),
            "bytes": (made.path(site.home, Files.REFERENCE)).stat().st_size,
        },
    )


@stage_asset("monitoring/drift", inputs=[*_SNAPSHOT], kinds={"polars"}, retry_policy=OVER_A_NETWORK)
def drift(
    context: dg.AssetExecutionContext, workspace: Workspace, profiles: Made, videos: Made, decisions: Made
) -> dg.MaterializeResult[Made]:
    """Features, vocabulary, decisions and catalogue of the latest window, beside what the live release knows.

    The release is the one that is live when this is made: in a run that trains, the one that is to be replaced.
    """
    from two_tower_assets.monitoring.plots import drift_plot

    site = workspace.site
    release = watched_release(site, snapshot_of(site, decisions))

    def fill(into: Path) -> Facts:
        report = drift_of(site, decisions.folder(site.home), release)
        write_text(into / DRIFT_FILE, report.model_dump_json(indent=1))
        return {}

    def describe(made: Made) -> Metadata:
        report = DriftReport.model_validate_json(made.path(site.home, DRIFT_FILE).read_text(encoding="utf-8"))
        return {
            "found": metadata.text_list(drift_words(report)),
            "model_version": report.model_version or "none",
            "figures_drifted": len(report.drifted),
            **_sizes(report),
            **(
                {"beside_bounds": metadata.picture(drift_plot(report), "Figures beside their bounds")}
                if report.readings
                else {}
            ),
        }

    return produce(
        context,
        site,
        inputs=[profiles, videos, decisions],
        settings=["monitoring"],
        extra=release.model_version if release else "",
        parent=decisions.folder(site.home),
        fill=fill,
        describe=describe,
    )


def _sizes(report: DriftReport) -> Metadata:
    if report.start is None or report.end is None:
        return {}
    return {
        "window_end": dg.MetadataValue.timestamp(report.end),
        "users": report.users,
        "decisions": report.decisions,
        "new_videos": report.new_videos,
        "retired_videos": report.retired_videos,
    }


@stage_asset(
    "monitoring/live_likes", deps=["sources/database"], kinds={"postgres", "polars"}, retry_policy=OVER_A_NETWORK
)
def live_likes(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Made]:
    """What people thought of the lists that were served: LIKEs among decisions, by version and source."""
    from two_tower_assets.monitoring.plots import likes_plot

    site = workspace.site
    found = likes_of(site)

    def fill(into: Path) -> Facts:
        write_text(into / LIKES_FILE, found.model_dump_json(indent=1))
        return {}

    rates = {f"like_rate_{rate.source}": metadata.figure(rate.rate.mean) for rate in found.rates[::-1] if rate.rate}
    return produce(
        context,
        site,
        settings=["monitoring"],
        extra=found.model_dump_json(),
        parent=site.home.root,
        fill=fill,
        describe=lambda _: {
            "found": metadata.text_list(likes_words(found)),
            "lists": found.lists,
            **rates,
            **({"rates": metadata.picture(likes_plot(found), "Like rates with intervals")} if rates else {}),
        },
    )


@stage_asset(
    "monitoring/vectors", deps=["publishing/release"], kinds={"numpy", "parquet"}, retry_policy=OVER_A_NETWORK
)
def vectors(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Made]:
    """Lengths and spread of the live release's video vectors, and how many neighbours are others than before."""
    from two_tower_assets.monitoring.plots import churn_plot

    site = workspace.site

    def fill(into: Path) -> Facts:
        write_text(into / VECTORS_FILE, vectors_of(site).model_dump_json(indent=1))
        return {}

    def describe(made: Made) -> Metadata:
        found = VectorHealth.model_validate_json(made.path(site.home, VECTORS_FILE).read_text(encoding="utf-8"))
        figures = {
            "videos": found.videos,
            "largest_norm_error": found.largest_norm_error,
            **({} if found.dimension is None else {"effective_dimension": found.dimension}),
            **({} if found.churn is None else {"neighbour_churn": found.churn.mean}),
        }
        return {
            "found": metadata.text_list(vectors_words(found)),
            "model_version": found.model_version or "none",
            **metadata.figures(figures),
            **({"churn": metadata.picture(churn_plot(found), "Changed neighbours")} if found.churn else {}),
        }

    return produce(
        context,
        site,
        settings=["monitoring"],
        extra=" ".join(watched_versions(site)),
        parent=site.home.root,
        fill=fill,
        describe=describe,
    )


@stage_asset(
    "monitoring/page", inputs=["monitoring/drift", "monitoring/live_likes", "monitoring/vectors"], kinds={"html"}
)
def page(
    context: dg.AssetExecutionContext, workspace: Workspace, drift: Made, live_likes: Made, vectors: Made
) -> dg.MaterializeResult[Made]:
    """All of it on one page that works offline. Copy its path into the address bar of a browser on this machine."""
    from two_tower_assets.monitoring.page import PAGE_FILE, write_page

    site = workspace.site

    def fill(into: Path) -> Facts:
        parts = ((drift, DRIFT_FILE), (live_likes, LIKES_FILE), (vectors, VECTORS_FILE))
        texts = [made.path(site.home, name).read_text(encoding="utf-8") for made, name in parts]
        health = Health(
            drift=DriftReport.model_validate_json(texts[0]),
            likes=LiveLikes.model_validate_json(texts[1]),
            vectors=VectorHealth.model_validate_json(texts[2]),
        )
        write_text(into / HEALTH_FILE, health.model_dump_json(indent=1))
        write_page(health, site.origin.label, into)
        return {}

    return produce(
        context,
        site,
        inputs=[drift, live_likes, vectors],
        extra=site.origin.label,
        parent=site.home.root,
        fill=fill,
        describe=lambda made: {"page": dg.MetadataValue.path(made.path(site.home, PAGE_FILE))},
    )
