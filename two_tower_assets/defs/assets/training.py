"""Assets of the training: examples, the model that is evaluated and the model that is shipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from two_tower_assets.contract import Files
from two_tower_assets.defs import metadata
from two_tower_assets.defs.code import code_version
from two_tower_assets.defs.engine import engine_of, made_by
from two_tower_assets.defs.inputs import (
    CURVES_FILE,
    EXAMPLES_FILE,
    SPACE_FILE,
    choices_of,
    curves_of,
    examples_of,
    snapshot_of,
    space_of,
    trials_for,
)
from two_tower_assets.defs.progress import log_fit
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.sketches import sketch
from two_tower_assets.defs.stage import Metadata, produce, result, stage_asset
from two_tower_assets.defs.store import Facts, Made, fingerprint_of

if TYPE_CHECKING:
    from two_tower_assets.features.space import FeatureSpace
    from two_tower_assets.training.popularity import PopularityScale
    from two_tower_assets.training.trainer import Fit

_SNAPSHOT = ("sources/profiles", "sources/videos", "sources/decisions")
_SETTINGS = ("features", "model", "training", "evaluation", "rerank")


@stage_asset("training/examples", inputs=["sources/videos", "sources/decisions"], kinds={"numpy", "safetensors"})
def examples(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made, decisions: Made
) -> dg.MaterializeResult[Made]:
    """Every LIKE of a known, active video, with the cut-offs of the global time split.

    Only the place of each example is kept: its user vector is computed when a batch is made, from the decisions
    strictly before it.
    """
    from two_tower_assets.features.history import History
    from two_tower_assets.features.times import moment_of
    from two_tower_assets.training.examples import find_examples

    site = workspace.site

    def fill(into: Path) -> Facts:
        found = find_examples(History.from_snapshot(snapshot_of(site, videos)), site.settings.evaluation)
        found.save(into / EXAMPLES_FILE)
        split = {name: moment_of(time).isoformat() for name, time in vars(found.split).items()}
        return {"rows": len(found), "split": split}

    return produce(
        context,
        site,
        inputs=[videos, decisions],
        settings=["evaluation"],
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: {
            "dagster/row_count": made.facts["rows"],
            "split": dg.MetadataValue.json(made.facts["split"]),
        },
    )


@stage_asset(
    "training/evaluated_checkpoint", inputs=[*_SNAPSHOT, "training/examples"], kinds={"pytorch", "safetensors"}
)
def evaluated_checkpoint(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    profiles: Made,
    videos: Made,
    decisions: Made,
    examples: Made,
) -> dg.MaterializeResult[Made]:
    """The towers fitted on what came before the test window, with features from before it.

    Fits before the validation window choose the number of steps, how much taste counts, and what else `selection`
    names; one more fit, before the test window, is what the evaluation measures.
    """
    from two_tower_assets.evaluation.fits import refit
    from two_tower_assets.evaluation.selection import select

    site = workspace.site

    def fill(into: Path) -> Facts:
        trials, engine = trials_for(site, videos), engine_of(site)
        watch = log_fit(context.log, "fitting before the validation window")
        selection = select(trials.validation, trials.videos, site.settings, watch=watch, engine=engine)
        watch = log_fit(context.log, "fitting before the test window")
        fitted = refit(trials.test.data, site.settings, selection.choices, watch=watch, engine=engine)
        _save(into / Files.TOWERS, fitted, trials.test.space, site, fingerprint=examples.fingerprint)
        (into / SPACE_FILE).write_text(trials.test.space.to_json(), encoding="utf-8")
        (into / CURVES_FILE).write_text(json.dumps(vars(selection.fit.curves)), encoding="utf-8")
        return {
            "choices": selection.choices.model_dump(mode="json"),
            "examples_per_second": round(fitted.examples_per_second),
            **_ran({"before the validation window": selection.fit, "before the test window": fitted}),
        }

    return produce(
        context,
        site,
        inputs=[profiles, videos, decisions, examples],
        settings=_SETTINGS,
        extra=made_by(site),
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: _describe(site, made, made),
    )


@stage_asset(
    "training/checkpoint",
    inputs=[
        *_SNAPSHOT,
        "features/normalizer",
        "training/examples",
        "training/evaluated_checkpoint",
        "evaluation/verdict",
    ],
    kinds={"pytorch", "safetensors"},
)
def checkpoint(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    profiles: Made,
    videos: Made,
    decisions: Made,
    normalizer: Made,
    examples: Made,
    evaluated_checkpoint: Made,
    verdict: Made,
) -> dg.MaterializeResult[Made]:
    """The towers that ship: the evaluated recipe refitted on everything, for as many steps.

    The model version is born here, and is found again while data, settings and code are unchanged.
    """
    from two_tower_assets.artifacts.version_folder import find_version, new_version
    from two_tower_assets.evaluation.fits import fit_for_release
    from two_tower_assets.training.checkpoint import read_facts
    from two_tower_assets.training.data import shipped_popularity

    site = workspace.site
    asset = context.asset_key.to_user_string()
    inputs = (profiles, videos, decisions, normalizer, examples, evaluated_checkpoint)
    code, settings = code_version("training"), site.settings.digest(*_SETTINGS)
    by = made_by(site)
    fingerprint = fingerprint_of(
        asset, code, settings, *(made.data_version for made in inputs), *([by] if by else [])
    )
    version = find_version(site.home.artifacts, fingerprint)
    reused = version is not None
    facts = {name: value for name, value in evaluated_checkpoint.facts.items() if name != "ran"}
    if version is None:
        space, choices = space_of(site, normalizer), choices_of(evaluated_checkpoint)
        watch = log_fit(context.log, "fitting for release")
        fitted = fit_for_release(
            snapshot_of(site, videos),
            examples_of(site, examples),
            space,
            site.settings,
            choices,
            watch=watch,
            engine=engine_of(site),
        )
        facts |= _ran({"for release": fitted})
        popularity = shipped_popularity(snapshot_of(site, videos), choices.fallback_half_life_days).placed
        version = new_version(site.home.artifacts, datetime.now(UTC), site.commit)
        towers = site.home.artifacts / version / Files.TOWERS
        _save(towers, fitted, space, site, fingerprint=fingerprint, model_version=version, popularity=popularity)
    made = site.store.record(
        asset,
        fingerprint,
        site.home.artifacts / version,
        (Files.TOWERS,),
        {**facts, "features": normalizer.data_version, "verdict": verdict.data_version},
        data_version=version,
        made_at=read_facts(site.home.artifacts / version / Files.TOWERS).trained_at,
    )
    described = {"model_version": version, **_describe(site, made, evaluated_checkpoint)}
    return result(site, made, described, reused=reused, settings=_SETTINGS)


def _ran(fits: Mapping[str, Fit]) -> Facts:
    """How an engine of several workers went through its fits; nothing is said of one process."""
    ran = {name: dict(fit.ran) for name, fit in fits.items() if fit.ran}
    return {"ran": ran} if ran else {}


def _save(
    path: Path,
    fit: Fit,
    space: FeatureSpace,
    site: Site,
    *,
    fingerprint: str,
    model_version: str | None = None,
    popularity: PopularityScale | None = None,
) -> None:
    from two_tower_assets.training.checkpoint import CheckpointFacts, save_checkpoint

    path.parent.mkdir(parents=True, exist_ok=True)
    facts = CheckpointFacts(
        user_dim=space.user_dim,
        item_dim=space.item_dim,
        videos=len(space.videos),
        model=site.settings.model,
        training=site.settings.training,
        steps=fit.steps,
        temperature=fit.model.temperature,
        popularity=popularity,
        fingerprint=fingerprint,
        model_version=model_version,
        trained_at=datetime.now(UTC),
        commit=site.commit,
    )
    save_checkpoint(path, fit.model, facts)


def _describe(site: Site, made: Made, evaluated: Made) -> Metadata:
    """Steps, speed and the curves of the fit that chose the steps."""
    from two_tower_assets.evaluation.plots import curves_plot
    from two_tower_assets.training.checkpoint import read_facts

    facts = read_facts(made.path(site.home, Files.TOWERS))
    curves = curves_of(site, evaluated)
    choices = choices_of(evaluated)
    steps = {"start": "step 1", "end": f"step {len(curves.losses):,}"}
    return {
        "loss_curve": dg.MetadataValue.md(sketch({"loss": list(enumerate(curves.losses, start=1))}, **steps)),
        "validation_curve": dg.MetadataValue.md(sketch({"validation": curves.validations}, **steps)),
        "curves_in_full": metadata.picture(curves_plot(curves), "Loss of each step, and validation"),
        "loss": metadata.figure(curves.losses[choices.steps - 1]),
        **({} if curves.last is None else {"validation": metadata.figure(curves.last)}),
        "steps": facts.steps,
        "temperature": metadata.figure(facts.temperature),
        "examples_per_second": made.facts["examples_per_second"],
        "choices": dg.MetadataValue.json(choices.model_dump(mode="json")),
        **({"ran": dg.MetadataValue.json(made.facts["ran"])} if "ran" in made.facts else {}),
    }
