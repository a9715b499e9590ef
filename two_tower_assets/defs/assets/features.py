"""Assets of the features: payloads, vocabularies, normalizer, and the vectors of videos and of users today."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg
import polars as pl

from two_tower_assets.contract import Files
from two_tower_assets.defs import columns, metadata
from two_tower_assets.defs.inputs import ITEM_VECTORS_FILE, SPACE_FILE, USER_VECTORS_FILE, snapshot_of, space_of
from two_tower_assets.defs.progress import log_progress
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.stage import Metadata, produce, stage_asset
from two_tower_assets.defs.store import Facts, Made

_SNAPSHOT = ("sources/profiles", "sources/videos", "sources/decisions")


@stage_asset("features/item_payloads", inputs=["sources/videos"], kinds={"postgres", "parquet"})
def item_payloads(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made
) -> dg.MaterializeResult[Made]:
    """What `get_item_embedding_feature_batch` says of every video, inactive ones included.

    With `feature_source: rest` the functions of the project at SUPABASE_URL are asked; with `frames` the same
    features are computed from the snapshot instead.
    """
    from two_tower_assets.features.stored import store_items

    site = workspace.site
    progress = log_progress(context.log, "item payloads")

    def fill(into: Path) -> Facts:
        settings, project = site.settings.features, site.feature_project
        snapshot = snapshot_of(site, videos)
        rows = store_items(snapshot, site.pipeline_url, into, settings, project=project, progress=progress)
        return {"rows": rows}

    return produce(
        context,
        site,
        inputs=[videos],
        settings=["features"],
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: _describe_payloads(site, made),
    )


@stage_asset("features/user_payloads", inputs=_SNAPSHOT, kinds={"postgres", "parquet"})
def user_payloads(
    context: dg.AssetExecutionContext, workspace: Workspace, profiles: Made, videos: Made, decisions: Made
) -> dg.MaterializeResult[Made]:
    """What `get_user_embedding_feature_batch` says of every user with a decision, as of the snapshot's cut-off.

    With `feature_source: rest` the functions of the project at SUPABASE_URL are asked; with `frames` the same
    features are computed from the snapshot instead.
    """
    from two_tower_assets.features.stored import store_users

    site = workspace.site
    progress = log_progress(context.log, "user payloads")

    def fill(into: Path) -> Facts:
        settings, project = site.settings.features, site.feature_project
        snapshot = snapshot_of(site, videos)
        rows = store_users(snapshot, site.pipeline_url, into, settings, project=project, progress=progress)
        return {"rows": rows}

    return produce(
        context,
        site,
        inputs=[profiles, videos, decisions],
        settings=["features"],
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: _describe_payloads(site, made),
    )


def _describe_payloads(site: Site, made: Made) -> Metadata:
    (file,) = made.files
    schema = pl.read_parquet_schema(made.path(site.home, file))
    return {
        "dagster/row_count": made.facts["rows"],
        "dagster/column_schema": columns.table_schema(schema, columns.RAW_FEATURES),
    }


@stage_asset("features/tag_vocabulary", inputs=["sources/videos", "features/item_payloads"], kinds={"json"})
def tag_vocabulary(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made, item_payloads: Made
) -> dg.MaterializeResult[Made]:
    """Tags of the active catalogue by descending frequency, ties by name."""
    from two_tower_assets.features.build import tag_vocabulary as build

    return _of_catalogue(context, workspace, videos, item_payloads, Files.TAG_VOCABULARY, build)


@stage_asset("features/performer_vocabulary", inputs=["sources/videos", "features/item_payloads"], kinds={"json"})
def performer_vocabulary(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made, item_payloads: Made
) -> dg.MaterializeResult[Made]:
    """Performers of the active catalogue by descending frequency, ties by name."""
    from two_tower_assets.features.build import performer_vocabulary as build

    return _of_catalogue(context, workspace, videos, item_payloads, Files.PERFORMER_VOCABULARY, build)


@stage_asset("features/video_vocabulary", inputs=["sources/videos", "sources/decisions"], kinds={"json"})
def video_vocabulary(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made, decisions: Made
) -> dg.MaterializeResult[Made]:
    """Active videos by descending number of LIKEs, ties by id; none with the preset `content`."""
    from two_tower_assets.features.history import History
    from two_tower_assets.features.video_vocabulary import video_vocabulary as build

    site = workspace.site

    def tokens() -> Sequence[str]:
        settings = site.settings.features
        return build(History.from_snapshot(snapshot_of(site, videos)), settings) if settings.reads_video_ids else ()

    return _vocabulary(context, workspace, [videos, decisions], Files.VIDEO_VOCABULARY, tokens)


def _of_catalogue(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    videos: Made,
    item_payloads: Made,
    name: str,
    build: Callable[..., Sequence[str]],
) -> dg.MaterializeResult[Made]:
    from two_tower_assets.features.stored import stored_items

    site = workspace.site

    def tokens() -> Sequence[str]:
        catalogue = stored_items(item_payloads.folder(site.home), snapshot_of(site, videos))
        return build(catalogue, site.settings.features)

    return _vocabulary(context, workspace, [videos, item_payloads], name, tokens)


def _vocabulary(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    inputs: Sequence[Made],
    name: str,
    build: Callable[[], Sequence[str]],
) -> dg.MaterializeResult[Made]:
    """Write what `build` returns; the first input is the snapshot's videos."""
    site = workspace.site

    def fill(into: Path) -> Facts:
        tokens = build()
        (into / name).write_text(json.dumps({"tokens": tokens}, ensure_ascii=False, indent=1), encoding="utf-8")
        return {"size": len(tokens), "most_frequent": list(tokens[:20])}

    return produce(
        context,
        site,
        inputs=inputs,
        settings=["features"],
        parent=inputs[0].folder(site.home),
        fill=fill,
        describe=lambda made: {
            "size": made.facts["size"],
            "most_frequent": metadata.text_list(made.facts["most_frequent"]),
        },
    )


@stage_asset(
    "features/normalizer",
    inputs=[
        *_SNAPSHOT,
        "features/item_payloads",
        "features/tag_vocabulary",
        "features/performer_vocabulary",
        "features/video_vocabulary",
    ],
    kinds={"polars", "json"},
)
def normalizer(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    profiles: Made,
    videos: Made,
    decisions: Made,
    item_payloads: Made,
    tag_vocabulary: Made,
    performer_vocabulary: Made,
    video_vocabulary: Made,
) -> dg.MaterializeResult[Made]:
    """Mean and standard deviation of each numeric, kept with the vocabularies as one feature space.

    User numerics are measured over the point-in-time vectors of the training examples, item numerics over the
    active catalogue. The space also says which date recency counts back from.
    """
    from two_tower_assets.features.build import measure_scales
    from two_tower_assets.features.history import History
    from two_tower_assets.features.space import FeatureSpace
    from two_tower_assets.features.stored import stored_items

    site = workspace.site

    def fill(into: Path) -> Facts:
        snapshot = snapshot_of(site, videos)
        scales = measure_scales(
            History.from_snapshot(snapshot),
            catalogue=stored_items(item_payloads.folder(site.home), snapshot),
            videos=snapshot.videos().collect(),
            profiles=snapshot.profiles().collect(),
        )
        space = FeatureSpace(
            tags=_tokens(tag_vocabulary.path(site.home, Files.TAG_VOCABULARY)),
            performers=_tokens(performer_vocabulary.path(site.home, Files.PERFORMER_VOCABULARY)),
            user_numeric=scales.user_numeric,
            item_numeric=scales.item_numeric,
            reference_released_at=scales.reference_released_at,
            videos=_tokens(video_vocabulary.path(site.home, Files.VIDEO_VOCABULARY)),
        )
        (into / SPACE_FILE).write_text(space.to_json(), encoding="utf-8")
        return {"user_dim": space.user_dim, "item_dim": space.item_dim}

    return produce(
        context,
        site,
        inputs=[
            profiles,
            videos,
            decisions,
            item_payloads,
            tag_vocabulary,
            performer_vocabulary,
            video_vocabulary,
        ],
        settings=["features"],
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: {
            "user_feature_dim": made.facts["user_dim"],
            "item_feature_dim": made.facts["item_dim"],
            **metadata.scales(space_of(site, made)),
        },
    )


def _tokens(path: Path) -> tuple[str, ...]:
    return tuple(json.loads(path.read_text(encoding="utf-8"))["tokens"])


@stage_asset(
    "features/item_vectors",
    inputs=["sources/videos", "features/item_payloads", "features/normalizer"],
    kinds={"polars", "safetensors"},
)
def item_vectors(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made, item_payloads: Made, normalizer: Made
) -> dg.MaterializeResult[Made]:
    """`item_features` of every video, zeros left out, in the snapshot's order."""
    from two_tower_assets.features.items import item_matrix
    from two_tower_assets.features.stored import stored_items

    site = workspace.site

    def fill(into: Path) -> Facts:
        items = stored_items(item_payloads.folder(site.home), snapshot_of(site, videos))
        matrix = item_matrix(items, space_of(site, normalizer))
        matrix.save(into / ITEM_VECTORS_FILE)
        return {"rows": len(matrix), "width": matrix.width}

    return produce(
        context,
        site,
        inputs=[videos, item_payloads, normalizer],
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: {"dagster/row_count": made.facts["rows"], "dimension": made.facts["width"]},
    )


@stage_asset(
    "features/user_vectors",
    inputs=["sources/videos", "features/user_payloads", "features/normalizer"],
    kinds={"polars", "safetensors"},
)
def user_vectors(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made, user_payloads: Made, normalizer: Made
) -> dg.MaterializeResult[Made]:
    """`user_features` of every user with a decision, as of the snapshot's cut-off, zeros left out."""
    from two_tower_assets.features.stored import stored_users
    from two_tower_assets.features.users import users_of_blocks

    site = workspace.site

    def fill(into: Path) -> Facts:
        space = space_of(site, normalizer)
        blocks = stored_users(user_payloads.folder(site.home), video_ids=bool(space.videos))
        matrix = users_of_blocks(blocks, as_of=snapshot_of(site, videos).cutoff, space=space)
        matrix.save(into / USER_VECTORS_FILE)
        return {"rows": len(matrix), "width": matrix.width}

    return produce(
        context,
        site,
        inputs=[videos, user_payloads, normalizer],
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: {"dagster/row_count": made.facts["rows"], "dimension": made.facts["width"]},
    )
