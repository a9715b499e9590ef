"""Assets of the publishing: a version's vectors beside the live ones, and the release that is live."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from two_tower_assets.defs import metadata
from two_tower_assets.defs.progress import log_progress
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.stage import result, stage_asset
from two_tower_assets.defs.store import Made, fingerprint_of

_VERSION = ("training/checkpoint", "artifacts/manifest")


@stage_asset("publishing/video_embeddings_table", inputs=_VERSION, kinds={"postgres", "pgvector"})
def video_embeddings_table(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made, manifest: Made
) -> dg.MaterializeResult[Made]:
    """The version's video vectors in a table of their own with an HNSW index, where no reader looks yet."""
    from two_tower_assets.publishing.release import stage

    site = workspace.site
    progress = log_progress(context.log, "rows copied and indexed")
    staged = stage(site.serving_url, checkpoint.folder(site.home), settings=site.settings.release, progress=progress)
    asset = context.asset_key.to_user_string()
    made = site.store.record(
        asset,
        fingerprint_of(asset, manifest.data_version),
        site.home.root,
        (),
        {"table": staged.table, "rows": staged.rows},
        data_version=manifest.data_version,
        made_at=None if staged.written else _made_at(site.store.latest(asset)),
    )
    described = {
        "model_version": staged.model_version,
        "dagster/row_count": staged.rows,
        "dagster/table_name": staged.table,
    }
    return result(site, made, described, reused=not staged.written, settings=["release"])


@stage_asset("publishing/release", inputs=_VERSION, deps=["publishing/video_embeddings_table"], kinds={"postgres"})
def release(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    checkpoint: Made,
    manifest: Made,
) -> dg.MaterializeResult[Made]:
    """The live release: one transaction moves the pointer, after all evidence was asked for again."""
    from two_tower_assets.publishing.release import activate

    site = workspace.site
    folder = checkpoint.folder(site.home)
    flip = activate(site.serving_url, folder, settings=site.settings.release, note=f"run {context.run_id}")
    asset = context.asset_key.to_user_string()
    made = site.store.record(
        asset,
        fingerprint_of(asset, manifest.data_version),
        site.home.root,
        (),
        {"model_version": flip.model_version},
        data_version=flip.model_version,
        made_at=None if flip.changed else _made_at(site.store.latest(asset)),
    )
    described = {
        "model_version": flip.model_version,
        "previous_version": flip.previous or "none",
        "vectors_dropped": metadata.text_list(flip.dropped),
        "artifacts": dg.MetadataValue.path(folder),
    }
    return result(site, made, described, reused=not flip.changed, settings=["release"])


def _made_at(latest: Made | None) -> datetime:
    return latest.made_at if latest else datetime.now(UTC)
