"""Assets of the evaluation: the report on the test window."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from two_tower_assets.contract import Files
from two_tower_assets.defs import metadata
from two_tower_assets.defs.inputs import REPORT_FILE, examples_of, report_of, snapshot_of, space_of
from two_tower_assets.defs.progress import log_progress
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.stage import Metadata, produce, stage_asset
from two_tower_assets.defs.store import Facts, Made


@stage_asset(
    "evaluation/report",
    inputs=[
        "sources/profiles",
        "sources/videos",
        "sources/decisions",
        "training/examples",
        "training/evaluated_checkpoint",
    ],
    kinds={"pytorch", "json"},
)
def report(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    profiles: Made,
    videos: Made,
    decisions: Made,
    examples: Made,
    evaluated_checkpoint: Made,
) -> dg.MaterializeResult[Made]:
    """How well the evaluated towers retrieve what users liked in the test window, beside most and recently popular.

    Users are frozen at the window's start, every released video is ranked, and what a user had decided is left out.
    """
    from two_tower_assets.evaluation.evaluate import evaluate
    from two_tower_assets.evaluation.fits import data_for_test
    from two_tower_assets.training.checkpoint import load_checkpoint
    from two_tower_assets.training.trainer import Curves, Fit

    site = workspace.site
    progress = log_progress(context.log, "methods measured")

    def fill(into: Path) -> Facts:
        model, facts = load_checkpoint(evaluated_checkpoint.path(site.home, Files.TOWERS))
        space = space_of(site, evaluated_checkpoint)
        data = data_for_test(snapshot_of(site, videos), examples_of(site, examples), space)
        fit = Fit(model, facts.steps, Curves(), examples_per_second=evaluated_checkpoint.facts["examples_per_second"])
        measured = evaluate(fit, data, site.settings.evaluation, progress=progress)
        (into / REPORT_FILE).write_text(measured.model_dump_json(indent=1), encoding="utf-8")
        return {}

    return produce(
        context,
        site,
        inputs=[profiles, videos, decisions, examples, evaluated_checkpoint],
        settings=["evaluation"],
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: _describe(site, made),
    )


def _describe(site: Site, made: Made) -> Metadata:
    from two_tower_assets.evaluation.plots import report_plot
    from two_tower_assets.evaluation.report import MODEL

    measured = report_of(site, made)
    of_model = measured.known_users.metrics.get(MODEL, {})
    return {
        "beside_baselines": metadata.picture(report_plot(measured)),
        **{name.replace("@", "_at_"): value for name, value in of_model.items()},
        "known_users": measured.known_users.users,
        "new_users": measured.new_users.users,
        "candidates": measured.candidates,
        "likes_left_out": metadata.counts(measured.left_out),
        "report": dg.MetadataValue.json(measured.model_dump(mode="json")),
    }
