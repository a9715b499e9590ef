"""For whom the towers work: groups of users, and groups of what was liked."""

from __future__ import annotations

from two_tower_assets.evaluation.page.charts.dots import Dot, axis, dot_row
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import MISSING, count, figure, ratio
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, details, measured, missing, pill, section, table
from two_tower_assets.evaluation.page.reading import best_baseline, headline_metrics, mean_of, standing
from two_tower_assets.evaluation.page.words import group_name, method_name, metric_name, trial_name
from two_tower_assets.evaluation.report import MODEL, Group, TrialReport
from two_tower_assets.evaluation.trials import NEW_VIDEOS

_LEAD = (
    "Blue: the towers with their interval. Grey: the best baseline of that row. Light users had few decisions, tail "
    "videos are those outside the most liked that hold 80 % of all LIKEs together."
)


def segments(page: PageData) -> Html:
    """One table a metric of each trial."""
    trials = [trial for name, trial in page.report.trials.items() if name != NEW_VIDEOS and _groups(trial)]
    content = [
        details(
            trial_name(trial.trial), [_table(trial, metric) for metric in headline_metrics(trial)], is_open=place == 0
        )
        for place, trial in enumerate(trials)
    ]
    return section("segments", "By segment", _LEAD, content or missing("No segment was measured."))


def _groups(trial: TrialReport) -> dict[str, Group]:
    return {name: group for name, group in trial.groups.items() if MODEL in group.metrics}


def _table(trial: TrialReport, metric: str) -> Html:
    groups = {name: group for name, group in _groups(trial).items() if metric in group.metrics[MODEL]}
    scale = Scale.covering((value for group in groups.values() for value in _values(group, metric)), zero=True)
    columns = [
        Column("Segment"),
        Column(metric_name(metric), "chart"),
        Column("Towers", "num"),
        Column("Best baseline", "num"),
        Column("Ratio", "num"),
        Column("Difference"),
    ]
    rows = [_row(name, group, metric, scale) for name, group in groups.items()]
    return table(
        f"{metric_name(metric)} by segment", columns, rows, foot=Row("", [axis(scale), "", "", "", ""], look="axis")
    )


def _values(group: Group, metric: str) -> list[float | None]:
    own, best = group.metrics[MODEL][metric], best_baseline(group, metric)
    return [own.mean, own.low, own.high, None if best is None else mean_of(group, best, metric)]


def _row(name: str, group: Group, metric: str, scale: Scale) -> Row:
    own, best = group.metrics[MODEL][metric], best_baseline(group, metric)
    beside = None if best is None else group.metrics[best][metric].model_copy(update={"low": None, "high": None})
    dots = [Dot(own, "towers")] if beside is None else [Dot(beside, "best"), Dot(own, "towers")]
    label = f"Towers {figure(own.mean)}, best baseline {figure(beside.mean if beside else None)}"
    head: Child = [group_name(name), element("small", f"{count(group.users)} users, {count(group.targets)} LIKEs")]
    baseline: Child = [figure(beside.mean), element("small", method_name(best))] if beside and best else MISSING
    value = ratio(own.mean, beside.mean if beside else None)
    return Row(
        head, [dot_row(scale, dots, label), measured(own), baseline, value, pill(standing(group, best, metric))]
    )
