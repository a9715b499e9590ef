"""The towers beside everything else, for the two metrics that sum a trial up."""

from __future__ import annotations

from two_tower_assets.evaluation.page.charts.dots import Dot, Look, axis, dot_row
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import count, counted, day, ends, figure
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, measured, missing, pair, section, table
from two_tower_assets.evaluation.page.reading import best_baseline, headline_metrics, judged_group
from two_tower_assets.evaluation.page.words import (
    group_name,
    method_name,
    metric_name,
    metric_of,
    trial_meaning,
    trial_name,
)
from two_tower_assets.evaluation.report import CHAMPION, MODEL, RERANKED, Group, TrialReport
from two_tower_assets.evaluation.trials import NEW_VIDEOS

_LEAD = (
    "What users later liked was hidden; every method ranked the whole catalogue for the same users. "
    "Dots are means, whiskers 95 % intervals over users."
)


def comparison(page: PageData) -> Html:
    """One pair of dot plots a trial; new videos have a section of their own."""
    trials = [trial for name, trial in page.report.trials.items() if name != NEW_VIDEOS]
    content = [_trial(trial) for trial in trials] or missing("No trial could be held.")
    return section("comparison", "Beside what people would use instead", _LEAD, content)


def _trial(trial: TrialReport) -> Html:
    group = judged_group(trial)
    return element(
        "div",
        element("h3", trial_name(trial.trial)),
        element("p", trial_meaning(trial.trial)),
        element("p", asked(trial), class_="quiet"),
        missing("The towers were not measured here.")
        if group is None
        else pair(*(dot_table(group, metric) for metric in headline_metrics(trial))),
    )


def asked(trial: TrialReport) -> str:
    """Who was asked what, in a sentence."""
    group = trial.groups.get(trial.judged)
    who = (
        "Nobody was asked"
        if group is None
        else f"{group_name(trial.judged)}: {count(group.users)}, with {counted(group.targets, 'later LIKE')}"
    )
    when = "" if trial.start is None else f", {day(trial.start)} to {day(trial.end)}"
    return f"{who}, among {counted(trial.candidates, 'video')}{when}."


def dot_table(group: Group, metric: str) -> Html:
    """All methods by one metric, the best first."""
    found = {method: figures[metric] for method, figures in group.metrics.items() if metric in figures}
    better = metric_of(metric).better or 1
    order = sorted(found, key=lambda method: (-better * found[method].mean, method))
    scale = Scale.covering(
        value for interval in found.values() for value in (interval.mean, interval.low, interval.high)
    )
    best = best_baseline(group, metric)
    rows = [
        Row(
            method_name(method),
            [
                dot_row(
                    scale,
                    [Dot(found[method], look_of(method, best))],
                    f"{figure(found[method].mean)}, {ends(found[method])}",
                ),
                measured(found[method]),
            ],
            look=look_of(method, best),
        )
        for method in order
    ]
    columns = [Column("Method"), Column("On a common scale", "chart"), Column("Mean", "num")]
    return table(metric_name(metric), columns, rows, foot=Row("", [axis(scale), ""], look="axis"), look="dotplot")


def look_of(method: str, best: str | None) -> Look:
    """Towers, live release, best baseline, or another baseline."""
    if method in {MODEL, RERANKED}:
        return "towers"
    if method == CHAMPION:
        return "champion"
    return "best" if method == best else "baseline"
