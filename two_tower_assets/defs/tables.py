"""The report as tables, in the terminal or for GitHub: methods down, metrics across, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rich.table import Table

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.gate import Verdict
from two_tower_assets.evaluation.page.sections.verdict import is_lower_bound
from two_tower_assets.evaluation.page.words import method_name, metric_name, named
from two_tower_assets.evaluation.report import MODEL, NDCG, OWN, RECALL, Group, Report, TrialReport, best_of

_COLUMNS: Final = ("ndcg@10", "recall@200", "mrr", "purity@10", "nope_rate@10", "auc", "coverage@10")
TABLE_WIDTH: Final = 150
"""Columns that the tables need; a narrower terminal wraps their lines rather than cut the figures."""
_WITH_INTERVAL: Final = frozenset({"ndcg@10", "recall@200"})
_TITLES: Final = {
    "global": "Everything from {start:%Y-%m-%d} on is hidden",
    "per_user": "Each user's last decisions are hidden",
    "new_videos": "Some videos do not exist while learning",
}


def report_tables(report: Report) -> tuple[Table, ...]:
    """One table a trial and group of users that has figures."""
    return tuple(
        _table(trial, name, group)
        for trial in report.trials.values()
        for name, group in trial.groups.items()
        if name in {trial.judged, "new"} and group.metrics
    )


def as_markdown(table: Table) -> str:
    """The same table for GitHub, its title in bold above it."""
    rows = [[str(column.header) for column in table.columns], ["---"] * len(table.columns)]
    rows += [
        list(row) for row in zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
    ]
    lines = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join((f"**{table.title}**", "", *lines))


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """The gate's answers, one a line."""
    yield "The gate lets this model pass." if verdict.passed else "The gate refuses this model:"
    for answer in verdict.answers:
        value = "" if answer.value is None else f" {answer.value:.4f}"
        bound = "" if answer.bound is None else f" (bound {answer.bound:.4f})"
        yield f"  {'✓' if answer.passed else '✗'} {answer.reason or answer.question + ':' + value + bound}"


def method_rows(trial: TrialReport) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Columns, and a row for each method of the judged users, the best first; no row where nothing was measured."""
    columns = (NDCG, RECALL)
    group = trial.groups.get(trial.judged)
    measured = group.metrics if group else {}
    rows = tuple(
        (
            _bold(name),
            *(_short(figures.get(c)) for c in columns),
        )
        for name, figures in sorted(measured.items(), key=lambda pair: -_mean(pair[1], NDCG))
    )
    return ("Method", *map(metric_name, columns)), rows


def answer_rows(verdict: Verdict) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Columns, and a row for each of the gate's answers."""
    rows = tuple(
        (
            "✓" if answer.passed else "✗",
            named(answer.reason or answer.question),
            "" if answer.value is None else f"{answer.value:.4g}",
            "" if answer.bound is None else f"{'≥' if is_lower_bound(answer) else '≤'} {answer.bound:.4g}",
        )
        for answer in verdict.answers
    )
    return ("", "Question", "Reached", "Bound"), rows


def _bold(method: str) -> str:
    """A method's name, the towers' in bold."""
    return f"**{method_name(method)}**" if method == MODEL else method_name(method)


def _mean(metrics: Mapping[str, Interval], column: str) -> float:
    return metrics[column].mean if column in metrics else 0.0


def _short(figure: Interval | None) -> str:
    return "–" if figure is None else f"{figure.mean:.3f}"


def _table(trial: TrialReport, name: str, group: Group) -> Table:
    title = _TITLES[trial.trial].format(start=trial.start)
    table = Table(
        title=f"{title}: {group.users:,} {name} users, {group.targets:,} LIKEs, {trial.candidates:,} videos",
        title_justify="left",
    )
    columns = [column for column in _COLUMNS if any(column in metrics for metrics in group.metrics.values())]
    table.add_column("method", no_wrap=True)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for method, metrics in group.metrics.items():
        table.add_row(method, *(_cell(column, metrics.get(column)) for column in columns))
    table.add_section()
    table.add_row("towers / best baseline", *(_ratio(group, column) for column in columns))
    return table


def _cell(column: str, figure: Interval | None) -> str:
    if figure is None:
        return "–"
    if column not in _WITH_INTERVAL or figure.low is None or figure.high is None:
        return f"{figure.mean:.3f}"
    return f"{figure.mean:.3f} [{figure.low:.3f} {figure.high:.3f}]"


def _ratio(group: Group, column: str) -> str:
    """The towers over the best baseline, where more is better."""
    best = best_of(group.metrics, column, [name for name in group.metrics if name not in OWN])
    own = group.metrics.get(MODEL, {}).get(column)
    if column == "nope_rate@10" or best is None or own is None or not group.metrics[best][column].mean:
        return ""
    ratio = f"{own.mean / group.metrics[best][column].mean:.2f}"
    return f"{ratio} {best}" if column in _WITH_INTERVAL else ratio
