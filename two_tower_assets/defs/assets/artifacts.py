"""Assets of the artifacts: every file of a model version, in the version's folder; the manifest is the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from two_tower_assets.contract import Files
from two_tower_assets.defs import columns, metadata
from two_tower_assets.defs.engine import engine_of
from two_tower_assets.defs.evidence import headline
from two_tower_assets.defs.inputs import ITEM_VECTORS_FILE, choices_of, report_of, snapshot_of, space_of
from two_tower_assets.defs.progress import log_progress
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.stage import Metadata, produce_in_version, stage_asset
from two_tower_assets.defs.store import Facts, Made
from two_tower_assets.errors import MissingAssetError
from two_tower_assets.home import write_text

if TYPE_CHECKING:
    from two_tower_assets.features.space import FeatureSpace

_MODEL = ("training/checkpoint", "features/normalizer")


@stage_asset("artifacts/user_tower_onnx", inputs=["training/checkpoint"], kinds={"onnx", "pytorch"})
def user_tower_onnx(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made
) -> dg.MaterializeResult[Made]:
    """The user tower as one ONNX file: `user_features` [batch, dim] to unit vectors `user_embedding` [batch, 256]."""
    from two_tower_assets.artifacts.user_tower import export_user_tower
    from two_tower_assets.training.checkpoint import load_checkpoint

    def fill(folder: Path) -> Facts:
        model, _ = load_checkpoint(folder / Files.TOWERS)
        export_user_tower(model.user, folder / Files.USER_TOWER)
        return {}

    return produce_in_version(context, workspace.site, checkpoint, names=[Files.USER_TOWER], fill=fill)


@stage_asset("artifacts/feature_schema", inputs=_MODEL, kinds={"json"})
def feature_schema(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made, normalizer: Made
) -> dg.MaterializeResult[Made]:
    """`feature_schema.json`: the segments from which a client builds `user_features`."""
    from two_tower_assets.artifacts import schema

    def write(folder: Path, space: FeatureSpace) -> None:
        schema.feature_schema(space).write(folder / Files.FEATURE_SCHEMA)

    return _from_space(context, workspace, checkpoint, normalizer, [Files.FEATURE_SCHEMA], write)


@stage_asset("artifacts/normalizer", inputs=_MODEL, kinds={"json"})
def normalizer_file(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made, normalizer: Made
) -> dg.MaterializeResult[Made]:
    """`normalizer.json`: mean and standard deviation of each numeric."""
    from two_tower_assets.artifacts import normalizer as document

    def write(folder: Path, space: FeatureSpace) -> None:
        document.normalizer(space).write(folder / Files.NORMALIZER)

    return _from_space(context, workspace, checkpoint, normalizer, [Files.NORMALIZER], write)


@stage_asset("artifacts/vocabularies", inputs=_MODEL, kinds={"json"})
def vocabularies(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made, normalizer: Made
) -> dg.MaterializeResult[Made]:
    """`vocab_tag.json`, `vocab_actress.json` and, with the preset `hybrid`, `vocab_video.json`: in index order."""
    from two_tower_assets.artifacts.vocabulary import vocabularies as documents_of

    documents = documents_of(space_of(workspace.site, normalizer))

    def write(folder: Path, _: FeatureSpace) -> None:
        for name, document in documents.items():
            document.write(folder / name)

    return _from_space(context, workspace, checkpoint, normalizer, list(documents), write)


@stage_asset("artifacts/model_meta", inputs=["sources/videos", *_MODEL, "evaluation/report"], kinds={"json"})
def model_meta(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    videos: Made,
    checkpoint: Made,
    normalizer: Made,
    report: Made,
) -> dg.MaterializeResult[Made]:
    """`model_meta.json`: what the version was made from and what it reached."""
    from two_tower_assets.artifacts import meta
    from two_tower_assets.training.checkpoint import read_facts

    site = workspace.site

    def fill(folder: Path) -> Facts:
        _require_same_features(checkpoint, normalizer)
        snapshot = snapshot_of(site, videos)
        rows = {table: facts.rows for table, facts in snapshot.tables.items()}
        active = snapshot.videos().select("is_active").collect()["is_active"].sum()
        facts = meta.DataFacts(
            cutoff=snapshot.cutoff, rows=rows, content_hash=snapshot.content_hash, active_videos=active
        )
        document = meta.model_meta(
            read_facts(folder / Files.TOWERS),
            space_of(site, normalizer),
            data=facts,
            settings=site.settings,
            metrics=headline(report_of(site, report)),
            choices=choices_of(checkpoint),
        )
        document.write(folder / Files.MODEL_META)
        return {}

    inputs = [videos, normalizer, report]
    return produce_in_version(context, site, checkpoint, names=[Files.MODEL_META], inputs=inputs, fill=fill)


@stage_asset("artifacts/golden_vectors", inputs=["sources/videos", *_MODEL], kinds={"json"})
def golden_vectors(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made, checkpoint: Made, normalizer: Made
) -> dg.MaterializeResult[Made]:
    """`golden_vectors.json`: payloads of no real person, and the features and embedding every client must get."""
    from two_tower_assets.artifacts import golden
    from two_tower_assets.training.checkpoint import load_checkpoint

    site = workspace.site

    def fill(folder: Path) -> Facts:
        _require_same_features(checkpoint, normalizer)
        model, facts = load_checkpoint(folder / Files.TOWERS)
        assert facts.model_version is not None
        as_of = snapshot_of(site, videos).cutoff
        document = golden.golden_vectors(facts.model_version, model.user, space_of(site, normalizer), as_of=as_of)
        document.write(folder / Files.GOLDEN_VECTORS)
        return {"cases": len(document.cases)}

    return produce_in_version(
        context,
        site,
        checkpoint,
        names=[Files.GOLDEN_VECTORS],
        inputs=[videos, normalizer],
        fill=fill,
        describe=lambda made: {"cases": made.facts["cases"]},
    )


@stage_asset(
    "artifacts/video_embeddings",
    inputs=["sources/videos", "training/checkpoint", "features/normalizer", "features/item_vectors"],
    kinds={"pytorch", "parquet"},
)
def video_embeddings(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    videos: Made,
    checkpoint: Made,
    normalizer: Made,
    item_vectors: Made,
) -> dg.MaterializeResult[Made]:
    """`video_embeddings.parquet`: the unit vector of every active video."""
    from two_tower_assets.artifacts.embeddings import VideoInputs, write_video_embeddings
    from two_tower_assets.features.matrix import FeatureMatrix
    from two_tower_assets.features.video_vocabulary import video_slots
    from two_tower_assets.training.checkpoint import load_checkpoint
    from two_tower_assets.training.data import shipped_popularity

    site = workspace.site
    progress = log_progress(context.log, "video embeddings")

    def fill(folder: Path) -> Facts:
        _require_same_features(checkpoint, normalizer)
        model, _ = load_checkpoint(folder / Files.TOWERS)
        items = FeatureMatrix.load(item_vectors.path(site.home, ITEM_VECTORS_FILE))
        snapshot = snapshot_of(site, videos)
        active = snapshot.videos().select("is_active").collect()["is_active"].to_numpy()
        popularity = shipped_popularity(snapshot, float(model.half_life_days))
        slots = video_slots(items.ids, space_of(site, normalizer))
        inputs = VideoInputs(items, slots, popularity.value)
        path = folder / Files.VIDEO_EMBEDDINGS
        engine = engine_of(site)
        return {"rows": write_video_embeddings(path, model.item, inputs, active, progress=progress, engine=engine)}

    return produce_in_version(
        context,
        site,
        checkpoint,
        names=[Files.VIDEO_EMBEDDINGS],
        inputs=[videos, item_vectors],
        fill=fill,
        describe=lambda made: {
            "dagster/row_count": made.facts["rows"],
            "dagster/column_schema": columns.table_schema(
                pl.read_parquet_schema(made.path(site.home, Files.VIDEO_EMBEDDINGS)), columns.VIDEO_EMBEDDINGS
            ),
        },
    )


@stage_asset("artifacts/onnxruntime_wasm", inputs=["training/checkpoint"], kinds={"wasm"})
def onnxruntime_wasm(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made
) -> dg.MaterializeResult[Made]:
    """The runtime that Edge Functions load beside the model; without npm a version goes without it, and says so."""
    from two_tower_assets.artifacts.wasm import fetch_wasm, put_wasm

    site = workspace.site
    fetched = fetch_wasm(site.home.programs)
    if fetched.path is None:
        context.log.warning(f"{fetched.reason}. Functions then need INFERENCE_ENGINE=typescript, their default.")

    def fill(folder: Path) -> Facts:
        if fetched.path is not None:
            put_wasm(folder, fetched.path)
        return {}

    names = [Files.WASM] if fetched.path is not None else []
    return produce_in_version(context, site, checkpoint, names=names, fill=fill)


@stage_asset("artifacts/report", inputs=["training/checkpoint", "evaluation/page"], kinds={"html"})
def report_page(
    context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made, page: Made
) -> dg.MaterializeResult[Made]:
    """`report.html`: the evaluation's page under the version's name. It shows people's data and is never public.

    Copy its path into the address bar of a browser on this machine.
    """
    from two_tower_assets.evaluation.page.data import PageData
    from two_tower_assets.evaluation.page.document import DATA_FILE, render

    site = workspace.site

    def fill(folder: Path) -> Facts:
        data = PageData.model_validate_json(page.path(site.home, DATA_FILE).read_text(encoding="utf-8"))
        write_text(folder / Files.REPORT, render(data.model_copy(update={"model_version": checkpoint.data_version})))
        return {}

    return produce_in_version(
        context,
        site,
        checkpoint,
        names=[Files.REPORT],
        inputs=[page],
        fill=fill,
        describe=lambda made: {"page": dg.MetadataValue.path(made.path(site.home, Files.REPORT))},
    )


@stage_asset(
    "artifacts/manifest",
    inputs=["training/checkpoint"],
    deps=[
        "artifacts/user_tower_onnx",
        "artifacts/feature_schema",
        "artifacts/normalizer",
        "artifacts/vocabularies",
        "artifacts/model_meta",
        "artifacts/golden_vectors",
        "artifacts/video_embeddings",
        "artifacts/onnxruntime_wasm",
    ],
    kinds={"json"},
)
def manifest(context: dg.AssetExecutionContext, workspace: Workspace, checkpoint: Made) -> dg.MaterializeResult[Made]:
    """`manifest.json`: every public file of the version with its SHA-256 and size."""
    from two_tower_assets.artifacts.manifest import write_manifest

    site = workspace.site

    def fill(folder: Path) -> Facts:
        written = write_manifest(folder)
        return {"files": {file.path: file.size for file in written.files}}

    return produce_in_version(
        context,
        site,
        checkpoint,
        names=[Files.MANIFEST],
        fill=fill,
        # What is in the folder decides what the manifest says; equal files give equal bytes.
        again=True,
        describe=lambda made: {"files": metadata.counts(made.facts["files"])},
    )


def _from_space(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    checkpoint: Made,
    normalizer: Made,
    names: Sequence[str],
    write: Callable[[Path, FeatureSpace], None],
) -> dg.MaterializeResult[Made]:
    site = workspace.site

    def fill(folder: Path) -> Facts:
        _require_same_features(checkpoint, normalizer)
        write(folder, space_of(site, normalizer))
        return {}

    def describe(made: Made) -> Metadata:
        return {"files": metadata.file_sizes(made.folder(site.home), names)}

    return produce_in_version(
        context, site, checkpoint, names=names, inputs=[normalizer], fill=fill, describe=describe
    )


def _require_same_features(checkpoint: Made, normalizer: Made) -> None:
    """Refuse to describe a model by features that it was not trained on."""
    if checkpoint.facts["features"] != normalizer.data_version:
        raise MissingAssetError(
            f"The features are newer than version {checkpoint.data_version}",
            where="features/normalizer",
            remedy="Materialize training/checkpoint, which makes a version of today's features.",
        )
