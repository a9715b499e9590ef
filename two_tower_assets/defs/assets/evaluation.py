"""Assets of the evaluation: what each method says in every trial, and the report that sets them side by side."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from two_tower_assets.contract import Files
from two_tower_assets.defs import metadata
from two_tower_assets.defs.engine import engine_of, made_by
from two_tower_assets.defs.evidence import champion_recipe, headline
from two_tower_assets.defs.inputs import (
    REPORT_FILE,
    TUNED_FILE,
    VERDICT_FILE,
    choices_of,
    curves_of,
    rankings_of,
    report_of,
    save_rankings,
    snapshot_of,
    trials_for,
    verdict_of,
)
from two_tower_assets.defs.progress import log_fit, log_progress
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.stage import Metadata, produce, stage_asset
from two_tower_assets.defs.store import Facts, Made
from two_tower_assets.defs.tables import answer_rows, method_rows
from two_tower_assets.defs.variants import variants_of

if TYPE_CHECKING:
    from two_tower_assets.evaluation.gate import Verdict

_SNAPSHOT = ("sources/profiles", "sources/videos", "sources/decisions")
_RECIPE = ("features", "model", "training", "evaluation", "rerank")

_ANSWERED = (*_SNAPSHOT, "training/examples")


@stage_asset(
    "evaluation/two_tower",
    inputs=[*_SNAPSHOT, "training/examples", "training/evaluated_checkpoint"],
    kinds={"pytorch", "safetensors"},
)
def two_tower(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    profiles: Made,
    videos: Made,
    decisions: Made,
    examples: Made,
    evaluated_checkpoint: Made,
) -> dg.MaterializeResult[Made]:
    """What the towers recommend to everybody asked, in the global split, the per-user split and for new videos.

    The last two are fitted here, by the evaluated recipe on what may be seen there.
    """
    from two_tower_assets.evaluation import towers
    from two_tower_assets.training.checkpoint import load_checkpoint

    site = workspace.site

    def fill(into: Path) -> Facts:
        model, _ = load_checkpoint(evaluated_checkpoint.path(site.home, Files.TOWERS))
        watch = log_fit(context.log, "fitting for the other trials")
        choices = choices_of(evaluated_checkpoint)
        trials, engine = trials_for(site, videos), engine_of(site)
        save_rankings(into, towers.rankings_of(model, trials, choices, site.settings, watch=watch, engine=engine))
        return {}

    return produce(
        context,
        site,
        inputs=[profiles, videos, decisions, examples, evaluated_checkpoint],
        settings=_RECIPE,
        extra=made_by(site),
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: _describe_lists(site, made),
    )


def _baseline(name: str, description: str) -> dg.AssetsDefinition:
    """Declare the asset of one baseline."""

    def body(
        context: dg.AssetExecutionContext,
        workspace: Workspace,
        profiles: Made,
        videos: Made,
        decisions: Made,
        examples: Made,
    ) -> dg.MaterializeResult[Made]:
        from two_tower_assets.evaluation.contest import baseline_results

        site = workspace.site

        def fill(into: Path) -> Facts:
            results = baseline_results(name, trials_for(site, videos))
            lists = {trial: {name: result.ranking} for trial, result in results.items() if result.ranking}
            save_rankings(into, lists)
            tuned = {trial: result.baseline.model_dump(mode="json") for trial, result in results.items()}
            (into / TUNED_FILE).write_text(json.dumps(tuned, indent=1), encoding="utf-8")
            return {"tuned": tuned}

        return produce(
            context,
            site,
            inputs=[profiles, videos, decisions, examples],
            settings=["features", "evaluation"],
            parent=videos.folder(site.home),
            fill=fill,
            describe=lambda made: {"tuned": metadata.counts(made.facts["tuned"]), **_describe_lists(site, made)},
        )

    body.__doc__ = description
    return stage_asset(f"evaluation/{name}", inputs=_ANSWERED, kinds={"numpy", "safetensors"})(body)


most_popular = _baseline("most_popular", "What everybody likes most, of all time.")
popular_7_days = _baseline("popular_7_days", "What everybody liked most in the seven days before the cut-off.")
popular_30_days = _baseline("popular_30_days", "What everybody liked most in the thirty days before the cut-off.")
content_cosine = _baseline("content_cosine", "Videos whose tags and performers are those of what the user liked.")
item_knn = _baseline("item_knn", "Videos liked by those who liked the same; cosine of items with shrinkage.")
ease = _baseline("ease", "EASE, a linear item-to-item model in closed form (Steck, WWW 2019).")
als = _baseline("als", "Implicit-feedback matrix factorisation by alternating least squares (extra `baselines`).")
bpr = _baseline("bpr", "Matrix factorisation by Bayesian personalised ranking (extra `baselines`).")

_BASELINES = ("most_popular", "popular_7_days", "popular_30_days", "content_cosine", "item_knn", "ease", "als", "bpr")


@stage_asset("evaluation/champion", inputs=[*_ANSWERED, "evaluation/two_tower"], kinds={"pytorch", "safetensors"})
def champion(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    profiles: Made,
    videos: Made,
    decisions: Made,
    examples: Made,
    two_tower: Made,
) -> dg.MaterializeResult[Made]:
    """The live release's recipe on the same window: fitted anew before it, so that nothing it has seen is asked.

    Nothing is made when nothing is live; when the recipe is today's, the towers' lists are the champion's.
    """
    from two_tower_assets.evaluation.champion import compare_with_live
    from two_tower_assets.evaluation.trials import GLOBAL

    site = workspace.site
    compares = site.settings.gate.champion == "compare"
    live = champion_recipe(site, snapshot_of(site, videos)) if compares else None

    def fill(into: Path) -> Facts:
        compared = compare_with_live(
            videos.folder(site.home),
            live,
            site.settings,
            own=lambda: rankings_of(site, two_tower, GLOBAL),
            watch=log_fit(context.log, "fitting the champion"),
            engine=engine_of(site),
        )
        if compared.ranking is not None:
            save_rankings(into, {GLOBAL: {"champion": compared.ranking}})
        return compared.facts

    return produce(
        context,
        site,
        inputs=[profiles, videos, decisions, examples, two_tower],
        settings=_RECIPE,
        extra=json.dumps(live) + made_by(site),
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: {name: str(value) for name, value in made.facts.items() if value},
    )


@stage_asset(
    "evaluation/report",
    inputs=[
        *_ANSWERED,
        "training/evaluated_checkpoint",
        "evaluation/two_tower",
        "evaluation/champion",
        *(f"evaluation/{name}" for name in _BASELINES),
    ],
    kinds={"numpy", "json"},
)
def report(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    profiles: Made,
    videos: Made,
    decisions: Made,
    examples: Made,
    evaluated_checkpoint: Made,
    two_tower: Made,
    champion: Made,
    most_popular: Made,
    popular_7_days: Made,
    popular_30_days: Made,
    content_cosine: Made,
    item_knn: Made,
    ease: Made,
    als: Made,
    bpr: Made,
) -> dg.MaterializeResult[Made]:
    """How well the towers retrieve what users liked later, beside what people would use instead.

    Three trials: everything before a moment (the judge), all but each user's last decisions, and videos that nobody
    has decided on. Means have 95 % bootstrap intervals over users.
    """
    from two_tower_assets.evaluation.evaluate import Champion, Measured, evaluate
    from two_tower_assets.evaluation.lazily import Lazily
    from two_tower_assets.evaluation.report import Baseline

    site = workspace.site
    baselines = (most_popular, popular_7_days, popular_30_days, content_cosine, item_knn, ease, als, bpr)

    def fill(into: Path) -> Facts:
        trials = trials_for(site, videos)

        def measured(name: str) -> Measured:
            return Measured(
                trials.asked[name],
                {
                    method: ranking
                    for made in (two_tower, champion, *baselines)
                    for method, ranking in rankings_of(site, made, name).items()
                },
                {
                    made.asset.partition("/")[2]: Baseline.model_validate(made.facts["tuned"][name])
                    for made in baselines
                    if name in made.facts["tuned"]
                },
            )

        live = champion.facts.get("version")
        found = evaluate(
            Lazily({name: partial(measured, name) for name in trials.asked}),
            trials.videos,
            choices_of(evaluated_checkpoint),
            site.settings.evaluation,
            preset=site.settings.features.preset,
            champion=Champion(live, champion.facts.get("missing")) if live else None,
            progress=log_progress(context.log, "trials measured"),
        )
        (into / REPORT_FILE).write_text(found.model_dump_json(indent=1), encoding="utf-8")
        return {}

    return produce(
        context,
        site,
        inputs=[profiles, videos, decisions, examples, evaluated_checkpoint, two_tower, champion, *baselines],
        settings=_RECIPE,
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: _describe_report(site, made),
    )


@stage_asset("evaluation/verdict", inputs=["sources/videos", "evaluation/report"], kinds={"json"})
def verdict(
    context: dg.AssetExecutionContext, workspace: Workspace, videos: Made, report: Made
) -> dg.MaterializeResult[Made]:
    """Whether the model may replace what serves now: the gate's questions and answers. Its check is blocking."""
    from two_tower_assets.evaluation.gate import judge

    site = workspace.site

    def fill(into: Path) -> Facts:
        found = judge(report_of(site, report), site.settings.gate)
        (into / VERDICT_FILE).write_text(found.model_dump_json(indent=1), encoding="utf-8")
        return {}

    return produce(
        context,
        site,
        inputs=[report],
        settings=["gate"],
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: _describe_verdict(verdict_of(site, made)),
    )


@stage_asset(
    "evaluation/page",
    inputs=[
        "sources/videos",
        "training/evaluated_checkpoint",
        "evaluation/two_tower",
        *(f"evaluation/{name}" for name in _BASELINES),
        "evaluation/report",
    ],
    kinds={"html"},
)
def page(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    videos: Made,
    evaluated_checkpoint: Made,
    two_tower: Made,
    most_popular: Made,
    popular_7_days: Made,
    popular_30_days: Made,
    content_cosine: Made,
    item_knn: Made,
    ease: Made,
    als: Made,
    bpr: Made,
    report: Made,
) -> dg.MaterializeResult[Made]:
    """The report as one page that works offline: verdict, figures, segments, trade-offs, exposure, map and people.

    Copy its path into the address bar of a browser on this machine.
    """
    from two_tower_assets.evaluation.page.document import DATA_FILE, PAGE_FILE, write_page
    from two_tower_assets.evaluation.page.gather import Evaluated, gather
    from two_tower_assets.evaluation.trials import GLOBAL
    from two_tower_assets.training.checkpoint import load_checkpoint

    site = workspace.site
    lists = (two_tower, most_popular, popular_7_days, popular_30_days, content_cosine, item_knn, ease, als, bpr)
    measured_variants = variants_of(site, videos)
    # The folder's name and not where it lies: a page travels.
    label = site.origin.folder.name if site.origin.folder else site.origin.label

    def fill(into: Path) -> Facts:
        model, _ = load_checkpoint(evaluated_checkpoint.path(site.home, Files.TOWERS))
        rankings = {name: found for made in lists for name, found in rankings_of(site, made, GLOBAL).items()}
        evaluated = Evaluated(model, curves_of(site, evaluated_checkpoint), rankings, report_of(site, report))
        found = gather(evaluated, trials_for(site, videos), site.settings, label=label)
        write_page(found.model_copy(update=vars(measured_variants)), into)
        return {"page": PAGE_FILE, "data": DATA_FILE}

    return produce(
        context,
        site,
        inputs=[evaluated_checkpoint, *lists, report],
        settings=[*_RECIPE, "gate"],
        extra=measured_variants.model_dump_json(),
        parent=videos.folder(site.home),
        fill=fill,
        describe=lambda made: {"page": dg.MetadataValue.path(made.path(site.home, PAGE_FILE))},
    )


def _describe_lists(site: Site, made: Made) -> Metadata:
    """How many users each list set answers."""
    from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS, PER_USER

    answered = {
        f"{trial}: {method}": len(ranking.top_UK)
        for trial in (GLOBAL, PER_USER, NEW_VIDEOS)
        for method, ranking in rankings_of(site, made, trial).items()
    }
    return {"users_answered": metadata.counts(answered)}


def _describe_report(site: Site, made: Made) -> Metadata:
    from two_tower_assets.evaluation.plots import report_plot
    from two_tower_assets.evaluation.trials import GLOBAL

    measured = report_of(site, made)
    judged = measured.trial(GLOBAL)
    return {
        "beside_baselines": metadata.table(*method_rows(judged)),
        "beside_baselines_in_full": metadata.picture(
            report_plot(measured), "NDCG@10 and recall@200 of each method, with intervals"
        ),
        **{name.replace("@", "_at_"): metadata.figure(value) for name, value in headline(measured).items()},
        "candidates": judged.candidates,
        "likes_left_out": metadata.counts(judged.left_out),
        # Whole, it would be the largest entry of the event log by far.
        "report_file": dg.MetadataValue.path(made.path(site.home, REPORT_FILE)),
    }


def _describe_verdict(found: Verdict) -> Metadata:
    return {
        "verdict": "The gate lets this model pass." if found.passed else "The gate refuses this model.",
        "answers": metadata.table(*answer_rows(found)),
    }
