"""Assets of the publishing: a version's files and vectors beside the live ones, and the release that is live."""

from __future__ import annotations

from importlib.util import find_spec

import dagster as dg

from two_tower_assets.contract import Files
from two_tower_assets.defs import columns, metadata
from two_tower_assets.defs.evidence import active_users_for
from two_tower_assets.defs.progress import log_progress, log_steps
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.stage import OVER_A_NETWORK, Metadata, record_in_database, result, stage_asset
from two_tower_assets.defs.store import Made


@stage_asset(
    "publishing/stored_files",
    inputs=["training/checkpoint", "artifacts/manifest"],
    deps=["artifacts/report", "monitoring/reference"],
    kinds={"supabase", "storage"},
    retry_policy=OVER_A_NETWORK,
)
def stored_files(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made, manifest: Made
) -> dg.MaterializeResult[Made]:
    """The version's files under its own prefix in storage, each read back and compared; nothing reads them yet."""
    from two_tower_assets.publishing.staging import store_files

    site = workspace.site
    stored = store_files(
        site.target,
        checkpoint.folder(site.home),
        reached=log_steps(context.log),
        progress=log_progress(context.log, "bytes uploaded"),
    )
    facts = {"prefix": stored.prefix}
    made = record_in_database(context, site, facts, data_version=manifest.data_version, changed=stored.changed)
    parts = (stored.public, stored.private)
    described = {
        "model_version": checkpoint.data_version,
        "bucket": metadata.link(site.target.buckets.public.url),
        "prefix": stored.prefix,
        "uploaded": metadata.text_list(name for part in parts for name in part.uploaded),
        "found": metadata.text_list(name for part in parts for name in part.found),
        "bytes_uploaded": sum(part.uploaded_bytes for part in parts),
    }
    return result(site, made, described, reused=not stored.changed)


@stage_asset(
    "publishing/video_embeddings_table",
    inputs=["training/checkpoint", "artifacts/manifest"],
    kinds={"postgres", "pgvector"},
    retry_policy=OVER_A_NETWORK,
)
def video_embeddings_table(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made, manifest: Made
) -> dg.MaterializeResult[Made]:
    """The version's video vectors in a table of their own with an HNSW index, where no reader looks yet.

    The check says how much of exact search the index finds, with and without filters, and plots it over time.
    """
    from two_tower_assets.publishing.staging import stage

    site = workspace.site
    progress = log_progress(context.log, "rows copied and indexed")
    staged = stage(site.target, checkpoint.folder(site.home), settings=site.settings.release, progress=progress)
    if staged.spilled_after is not None:
        context.log.warning(
            f"The index's graph left memory after {staged.spilled_after:,} of {staged.rows:,} vectors, which slows "
            "its building down many times. Raise release.maintenance_work_mem_mb."
        )
    facts = {"table": staged.table, "rows": staged.rows}
    made = record_in_database(context, site, facts, data_version=manifest.data_version, changed=staged.written)
    described = {
        "model_version": staged.model_version,
        "dagster/row_count": staged.rows,
        "dagster/column_schema": columns.STORED_VIDEOS,
        "dagster/table_name": staged.table,
        "index": site.settings.release.vector_index,
        "graph_fitted_in_memory": staged.spilled_after is None,
    }
    return result(site, made, described, reused=not staged.written, settings=["release"])


@stage_asset(
    "publishing/user_embeddings",
    inputs=["training/checkpoint", "features/user_vectors", "sources/decisions"],
    deps=["publishing/video_embeddings_table", "artifacts/user_tower_onnx"],
    kinds={"postgres", "onnx"},
    retry_policy=OVER_A_NETWORK,
)
def user_embeddings(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    checkpoint: Made,
    user_vectors: Made,
    decisions: Made,
) -> dg.MaterializeResult[Made]:
    """Vectors of the active users under the version, so that after the flip nobody waits for theirs."""
    from two_tower_assets.publishing.staging import prepare_users

    site = workspace.site
    users = active_users_for(site, checkpoint, user_vectors, decisions)
    staged = prepare_users(
        site.target, checkpoint.data_version, users, progress=log_progress(context.log, "user vectors")
    )
    version = f"{checkpoint.data_version} {user_vectors.data_version[:16]}"
    made = record_in_database(context, site, {"users": staged.users}, data_version=version, changed=staged.written)
    described = {
        "model_version": staged.model_version,
        "dagster/row_count": staged.users,
        "dagster/column_schema": columns.STORED_USERS,
        "as_of": dg.MetadataValue.timestamp(users.as_of),
    }
    return result(site, made, described, reused=not staged.written, settings=["release"])


@stage_asset(
    "publishing/release",
    inputs=["training/checkpoint"],
    deps=[
        "artifacts/manifest",
        "artifacts/report",
        "publishing/stored_files",
        "publishing/video_embeddings_table",
        "publishing/user_embeddings",
    ],
    kinds={"postgres"},
    retry_policy=OVER_A_NETWORK,
)
def release(context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made) -> dg.MaterializeResult[Made]:
    """The live release: one transaction moves the pointer, after all evidence was asked for again.

    Clients read it below MODEL_ARTIFACT_BASE_URL. The job `rollback` makes an earlier one live again.
    """
    from two_tower_assets.publishing.flip import activate
    from two_tower_assets.publishing.handover import hand_over

    site = workspace.site
    folder = checkpoint.folder(site.home)
    note = f"run {context.run.run_id}"
    flip = activate(site.target, folder, settings=site.settings.release, note=note, reached=log_steps(context.log))
    base_url = site.target.buckets.base_url
    hand_over(site.environment.github_env, base_url)
    made = record_in_database(context, site, {}, data_version=flip.model_version, changed=flip.changed)
    described = {
        "model_version": flip.model_version,
        "previous_version": flip.previous or "none",
        "flip_milliseconds": round(1000 * flip.seconds, 1),
        **_demo(site),
        "details": f"two-tower release show {flip.model_version}",
        "vectors_dropped": metadata.text_list(flip.dropped),
        "MODEL_ARTIFACT_BASE_URL": metadata.link(base_url),
        "live_manifest": metadata.link(f"{base_url}/{Files.MANIFEST}"),
        "report": dg.MetadataValue.path(folder / Files.REPORT),
        "files": dg.MetadataValue.path(folder),
    }
    return result(site, made, described, reused=not flip.changed, settings=["release"])


def _demo(site: Site) -> Metadata:
    """Where the release can be tried: the demo page of the local stack, while it runs."""
    # Without the extra `local` there is no stack, nor what it is looked for with.
    if find_spec("psutil") is None:
        return {}
    from two_tower_assets.local.stack import LocalStack

    url = LocalStack(site.home).url
    return {} if url is None else {"demo": metadata.link(f"{url}/demo")}
