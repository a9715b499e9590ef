"""Assets of the publishing: a version's vectors beside the live ones, and the release that is live."""

from __future__ import annotations

import dagster as dg

from two_tower_assets.contract import Files
from two_tower_assets.defs import metadata
from two_tower_assets.defs.progress import log_progress
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.stage import record_in_database, result, stage_asset
from two_tower_assets.defs.store import Made


@stage_asset(
    "publishing/video_embeddings_table",
    inputs=["training/checkpoint", "artifacts/manifest"],
    kinds={"postgres", "pgvector"},
)
def video_embeddings_table(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made, manifest: Made
) -> dg.MaterializeResult[Made]:
    """The version's video vectors in a table of their own with an HNSW index, where no reader looks yet."""
    from two_tower_assets.publishing.release import stage

    site = workspace.site
    progress = log_progress(context.log, "rows copied and indexed")
    staged = stage(site.serving_url, checkpoint.folder(site.home), settings=site.settings.release, progress=progress)
    facts = {"table": staged.table, "rows": staged.rows}
    made = record_in_database(context, site, facts, data_version=manifest.data_version, changed=staged.written)
    described = {
        "model_version": staged.model_version,
        "dagster/row_count": staged.rows,
        "dagster/table_name": staged.table,
    }
    return result(site, made, described, reused=not staged.written, settings=["release"])


@stage_asset(
    "publishing/release",
    inputs=["training/checkpoint"],
    deps=["artifacts/manifest", "artifacts/report", "publishing/video_embeddings_table"],
    kinds={"postgres"},
)
def release(context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made) -> dg.MaterializeResult[Made]:
    """The live release: one transaction moves the pointer, after all evidence was asked for again."""
    from two_tower_assets.publishing.release import activate

    site = workspace.site
    folder = checkpoint.folder(site.home)
    flip = activate(site.serving_url, folder, settings=site.settings.release, note=f"run {context.run_id}")
    made = record_in_database(context, site, {}, data_version=flip.model_version, changed=flip.changed)
    described = {
        "model_version": flip.model_version,
        "previous_version": flip.previous or "none",
        "vectors_dropped": metadata.text_list(flip.dropped),
        "artifacts": dg.MetadataValue.path(folder),
        "report": dg.MetadataValue.path(folder / Files.REPORT),
    }
    return result(site, made, described, reused=not flip.changed, settings=["release"])
