"""How the model was learned, how much the seed matters, and what each ingredient gives."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean, stdev

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.page.charts.dots import Dot, axis, dot_row
from two_tower_assets.evaluation.page.charts.plots import Plane
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.data import Ablation, LearningCurves, PageData
from two_tower_assets.evaluation.page.formats import MISSING, count, figure
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import (
    Column,
    Row,
    difference,
    figure_box,
    measured,
    missing,
    pair,
    section,
    table,
)
from two_tower_assets.evaluation.page.words import metric_name, metric_of
from two_tower_assets.evaluation.report import NDCG

_SMOOTHING = 10


def learning(page: PageData) -> Html:
    """Curves, then seeds and ablation where they were measured."""
    return section(
        "learning",
        "How it was learned",
        f"Every fit takes the {count(page.report.choices.steps)} steps that were best on the validation window.",
        pair(_losses(page.curves), _validations(page.curves, page.report.choices.steps)),
        element("h3", "Over seeds"),
        _seeds(page.seeds) if page.seeds else missing("Only one seed was run."),
        element("h3", "What each ingredient gives"),
        _ablation(page.ablation) if page.ablation else missing("No ablation was run with this version."),
    )


def _losses(curves: LearningCurves) -> Html:
    losses = [float(loss) for loss in curves.losses]
    if not losses:
        return figure_box("Training loss", missing("There is no record of it."))
    points = list(enumerate(losses, start=1))
    smooth = [(step, fmean(losses[max(0, step - _SMOOTHING) : step])) for step, _ in points]
    plane = Plane(Scale(0, len(losses)), Scale.covering(losses))
    chart = plane.chart(
        plane.line(points, "line quiet-line"),
        plane.line(smooth, "line"),
        label=f"Loss over {len(losses)} steps, from {figure(losses[0])} to {figure(smooth[-1][1])}",
        x_title="Step",
        y_title="Loss",
    )
    return figure_box("Training loss", chart, caption=f"Grey: each step. Blue: mean of the last {_SMOOTHING}.")


def _validations(curves: LearningCurves, chosen: int) -> Html:
    heading = "Validation: recall@200 + NDCG@10"
    if not curves.validations:
        return figure_box(heading, missing("Nobody could be asked in the validation window."))
    last = max(chosen, *(step for step, _ in curves.validations))
    plane = Plane(Scale(0, last), Scale.covering(recall for _, recall in curves.validations))
    chart = plane.chart(
        plane.upright(chosen, f"{count(chosen)} steps chosen"),
        plane.line(curves.validations, "line"),
        [
            plane.point(step, recall, "towers", tip=f"step {step}: {figure(recall)}", radius=4)
            for step, recall in curves.validations
        ],
        label="Validation: " + "; ".join(f"step {step} {figure(recall)}" for step, recall in curves.validations),
        x_title="Step",
        y_title="Recall@200 + NDCG@10",
    )
    return figure_box(heading, chart)


def _seeds(seeds: Mapping[str, tuple[float, ...]]) -> Html:
    columns = [
        Column("Metric"),
        Column("Each seed", "chart"),
        Column("Mean", "num"),
        Column("Standard deviation", "num"),
        Column("Seeds", "num"),
    ]
    rows = [_seed_row(metric, values) for metric, values in seeds.items() if values]
    return table("Spread over seeds, everything else the same", columns, rows)


def _seed_row(metric: str, values: tuple[float, ...]) -> Row:
    scale = Scale.covering(values)
    dots = [Dot(Interval(mean=value), "towers") for value in values]
    spread = figure(stdev(values)) if len(values) > 1 else MISSING
    chart = dot_row(scale, dots, ", ".join(map(figure, values)))
    return Row(metric_name(metric), [chart, figure(fmean(values)), spread, f"{len(values)}"])


def _ablation(rows: tuple[Ablation, ...]) -> Html:
    metrics = list(dict.fromkeys(metric for row in rows for metric in row.metrics))
    shown = NDCG if NDCG in metrics else metrics[0]
    gains = [row.gains[shown] for row in rows if shown in row.gains]
    scale = Scale.covering((value for gain in gains for value in (gain.mean, gain.low, gain.high)), zero=True)
    columns = [
        Column("Recipe"),
        Column(f"{metric_name(shown)} minus the full recipe’s", "chart"),
        Column("Difference", "num"),
        *(Column(metric_name(metric), "num", metric_of(metric).meaning) for metric in metrics),
    ]
    body = [_ablation_row(row, shown, metrics, scale) for row in rows]
    foot = Row("", [axis(scale), "", *("" for _ in metrics)], look="axis")
    return table("One thing changed at a time", columns, body, foot=foot)


def _ablation_row(row: Ablation, shown: str, metrics: list[str], scale: Scale) -> Row:
    gain = row.gains.get(shown)
    chart = None if gain is None else dot_row(scale, [Dot(gain, "towers")], f"{figure(gain.mean)}")
    return Row(row.name, [chart, difference(gain), *(measured(row.metrics.get(metric)) for metric in metrics)])
