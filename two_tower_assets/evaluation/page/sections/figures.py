"""Every metric of every method with its interval, and what the towers gain on each, paired."""

from __future__ import annotations

from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import MISSING, ratio
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, details, difference, measured, missing, section, table
from two_tower_assets.evaluation.page.reading import (
    STANDINGS,
    best_baseline,
    judged_group,
    mean_of,
    metrics_of,
    standing_of,
)
from two_tower_assets.evaluation.page.words import (
    ASPECTS,
    METRICS,
    group_name,
    method_name,
    metric_name,
    metric_of,
    trial_name,
)
from two_tower_assets.evaluation.report import MODEL, Group, TrialReport

_LEAD = (
    "★ marks the best baseline of a column. Ratios are the towers’ mean as a multiple of it. Figures of all lists "
    "together (coverage, Gini, maker concentration) have no interval."
)


def figures(page: PageData) -> Html:
    """Two tables a trial, and what the metrics mean."""
    trials = list(page.report.trials.values())
    content = [_trial(trial, is_open=number == 0) for number, trial in enumerate(trials)]
    chooser = _chooser() if content else None
    return section("figures", "All figures", _LEAD, chooser, content or missing("Nothing was measured."), _glossary())


def _chooser() -> Html:
    """Boxes that hide columns; style alone does it."""
    boxes = [
        element("label", element("input", type="checkbox", checked=True, class_=f"show-{aspect}"), f" {name}")
        for aspect, name in ASPECTS.items()
    ]
    return element("fieldset", element("legend", "Columns"), boxes, class_="chooser")


def _trial(trial: TrialReport, *, is_open: bool) -> Html:
    group = judged_group(trial)
    title = f"{trial_name(trial.trial)}: {group_name(trial.judged).lower()}"
    if group is None:
        return details(title, missing("The towers were not measured here."), is_open=is_open)
    return details(title, _means(group), _gains(group), is_open=is_open)


def _means(group: Group) -> Html:
    metrics = sorted(metrics_of(group), key=lambda metric: list(ASPECTS).index(metric_of(metric).aspect))
    best = {metric: best_baseline(group, metric) for metric in metrics}
    rows = [
        Row(
            method_name(method),
            [_mean(group, method, metric, is_best=best[metric] == method) for metric in metrics],
            look="own" if method == MODEL else "",
        )
        for method in group.metrics
    ]
    ratios = [ratio(mean_of(group, MODEL, metric), _mean_beside(group, best[metric], metric)) for metric in metrics]
    rows.append(Row("Towers ÷ best baseline", ratios, look="ratio"))
    columns = [Column("Method"), *map(_column, metrics)]
    return table("Means and 95 % intervals", columns, rows, look="figures")


def _mean(group: Group, method: str, metric: str, *, is_best: bool) -> Child:
    star = element("span", "★", class_="star", aria_label="best baseline", role="img") if is_best else None
    return [star, measured(group.metrics[method].get(metric))]


def _mean_beside(group: Group, method: str | None, metric: str) -> float | None:
    return None if method is None else mean_of(group, method, metric)


def _gains(group: Group) -> Html:
    metrics = list(dict.fromkeys(metric for gains in group.gains.values() for metric in gains))
    if not metrics:
        return missing("There is no other method to take a difference with.")
    columns = [Column("Towers minus"), *map(_column, metrics)]
    rows = [
        Row(method_name(method), [gain_cell(group, method, metric) for metric in metrics]) for method in group.gains
    ]
    return table(
        "Paired differences with 95 % intervals: ▲ clearly better, ▼ clearly worse",
        columns,
        rows,
        look="figures gains",
    )


def gain_cell(group: Group, method: str, metric: str) -> Child:
    """What the towers gain on a method, with a sign where the interval does not hold zero."""
    gain = group.gains.get(method, {}).get(metric)
    if gain is None:
        return MISSING
    found = standing_of(gain, metric)
    sign, words = STANDINGS[found] if found in {"better", "worse"} else ("", "")
    mark = element("span", sign, class_=f"sign {found}", role="img", aria_label=words) if sign else None
    return [mark, difference(gain)]


def _column(metric: str) -> Column:
    return Column(metric_name(metric), f"num {metric_of(metric).aspect}", metric_of(metric).meaning or None)


def _glossary() -> Html:
    terms = [
        element("div", element("dt", metric.name), element("dd", metric.meaning, _direction(metric.better)))
        for metric in METRICS.values()
    ]
    return details("What the metrics mean", element("dl", terms, class_="glossary"))


def _direction(better: int) -> str:
    return {1: " More is better.", -1: " Less is better.", 0: ""}[better]
