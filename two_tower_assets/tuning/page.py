"""The page of a study: whether to change anything, how the search went, what mattered, the finals, and the change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.page.charts.dots import Dot, axis, dot_row, join_line
from two_tower_assets.evaluation.page.charts.plots import Plane
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.formats import MISSING, count, counted, figure, minute, percent
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.parts import (
    Column,
    Row,
    details,
    difference,
    facts,
    figure_box,
    measured,
    missing,
    section,
    table,
)
from two_tower_assets.evaluation.page.shell import html_page
from two_tower_assets.evaluation.page.words import group_name, metric_name, metric_of
from two_tower_assets.evaluation.paired.compare import METRICS
from two_tower_assets.evaluation.paired.records import Group
from two_tower_assets.home import write_text
from two_tower_assets.tuning.finalists import name_of
from two_tower_assets.tuning.history import best_so_far, completed, ended_early
from two_tower_assets.tuning.measure import LOOKS, METRIC
from two_tower_assets.tuning.records import Contest, Finalist, Outcome, TrialRecord
from two_tower_assets.tuning.verdict import headline, is_better, verdict_lines

PAGE_FILE: Final = "tuning.html"


def write_page(outcome: Outcome, folder: Path, *, label: str, diff: str) -> Path:
    """Write the page and return its path."""
    write_text(folder / PAGE_FILE, render(outcome, label=label, diff=diff))
    return folder / PAGE_FILE


def render(outcome: Outcome, *, label: str, diff: str) -> str:
    """Write the page; the same data give the same bytes.

    Args:
        outcome: what there is to say.
        label: name of the data set.
        diff: of the settings file; empty when nothing changes.
    """
    return html_page(
        title=f"Tuning on {label}",
        heading=["Tuning on ", element("code", label)],
        below=f"study {outcome.study} · validation from {minute(outcome.validation_begin)} · "
        f"test from {minute(outcome.test_begin)}",
        sections=[
            ("verdict", "Verdict", _verdict(outcome)),
            ("change", "Change", _change(outcome, diff)),
            ("history", "Search", _history(outcome)),
            ("importance", "What matters", _importance(outcome)),
            ("finals", "Finals", _finals(outcome)),
            ("trials", "Trials", _trials(outcome)),
        ],
    )


def _verdict(outcome: Outcome) -> Html:
    better = is_better(outcome)
    sign, word = ("✓", "Better") if better else ("✗", "No reason to change")
    banner = element(
        "div",
        element("p", element("span", sign, class_="sign", aria_hidden="true"), word, class_="word"),
        [element("p", line) for line in verdict_lines(outcome)],
        class_=f"banner {'passed' if better else 'refused'}",
    )
    return section("verdict", "Verdict", None, banner, _contest(outcome.contest) if outcome.contest else None)


def _contest(contest: Contest) -> Html:
    columns = [
        Column("Users"),
        Column("Metric"),
        Column("Current settings", "num"),
        Column("Winner", "num"),
        Column("Difference", "num", "Paired by user, 95 % interval"),
    ]
    rows = [
        _contest_row(group, metric) for group in contest.groups for metric in METRICS if metric in group.difference
    ]
    caption = (
        f"On the test window, {minute(contest.begin)} to {minute(contest.end)}: "
        f"means over users of {counted(contest.seeds, 'fit')} each"
    )
    return table(caption, columns, rows, look="figures")


def _contest_row(group: Group, metric: str) -> Row:
    name = element("span", metric_name(metric), data_tip=metric_of(metric).meaning)
    cells = [
        name,
        measured(group.before[metric]),
        measured(group.after[metric]),
        difference(group.difference[metric]),
    ]
    return Row(f"{group_name(group.name)} ({count(group.users)})", cells)


def _change(outcome: Outcome, diff: str) -> Html:
    if not outcome.changes:
        return section("change", "The change", None, missing("The settings stay as they are."))
    columns = [Column("Setting"), Column("Now", "num"), Column("Winner", "num")]
    rows = [
        Row(element("code", change.key), [_written(change.before), _written(change.after)])
        for change in outcome.changes
    ]
    return section(
        "change",
        "The change",
        f"{headline(outcome)} Nothing is applied by itself: review the diff, and apply it in the folder of the "
        "settings file with git apply or patch -p1.",
        table("Settings that the winner has otherwise", columns, rows),
        details(
            "The diff",
            element("div", element("pre", diff), class_="scroll", tabindex="0", role="region", aria_label="The diff"),
        ),
    )


def _history(outcome: Outcome) -> Html:
    lead = (
        f"{counted(len(outcome.trials), 'point')} of the search space, each fitted on what came before the "
        f"validation window and asked for what {counted(outcome.users, 'known user')} liked in it. Grey ones were "
        f"worse than half of the others at one of the {LOOKS - 1} looks before the end and were ended early; what "
        "they had reached is shown."
    )
    points, pruned = completed(outcome), ended_early(outcome)
    if not points:
        return section("history", "The search", lead, missing("No trial was completed."))
    last = max(trial.number for trial in outcome.trials)
    plane = Plane(Scale(-0.5, last + 0.5), Scale.covering(value for _, value in (*points, *pruned)))
    chart = plane.chart(
        plane.line(best_so_far(outcome), "line"),
        [
            plane.point(number, value, "baseline", tip=f"trial {number}: ended early at {figure(value)}", radius=4)
            for number, value in pruned
        ],
        [
            plane.point(number, value, "towers", tip=f"trial {number}: {METRIC} {figure(value)}", radius=4)
            for number, value in points
        ],
        label=f"{METRIC} of {len(points)} complete trials, the best {figure(max(value for _, value in points))}",
        x_title="Trial",
        y_title=metric_name(METRIC),
    )
    return section("history", "The search", lead, figure_box("Every trial, and the best so far", chart))


def _importance(outcome: Outcome) -> Html:
    lead = "How much each setting mattered for being among the best trials (PED-ANOVA); together 100 %."
    if not outcome.importances:
        return section("importance", "What matters", lead, missing("Too few trials are complete to tell."))
    scale = Scale.covering(outcome.importances.values(), zero=True)
    rows = [
        Row(element("code", key), [_bar(scale, key, value), percent(value)])
        for key, value in outcome.importances.items()
    ]
    columns = [Column("Setting"), Column("Importance", "chart"), Column("Share", "num")]
    foot = Row("", [axis(scale, percent), ""], look="axis")
    return section(
        "importance",
        "What matters",
        lead,
        table("Importance of each setting, the largest first", columns, rows, foot=foot, look="dotplot"),
    )


def _bar(scale: Scale, key: str, value: float) -> Html:
    dot = Dot(Interval(mean=value), "towers")
    return dot_row(scale, [dot], f"{key}: {percent(value)}", under=[join_line(scale, 0.0, value)])


def _finals(outcome: Outcome) -> Html:
    lead = (
        "The best trials and the current settings, fitted again by seeds that the search did not use: the best of "
        "many measurements is partly lucky. Hollow dots are seeds."
    )
    values = [value for finalist in outcome.finalists for value in finalist.values]
    scale = Scale.covering(values)
    columns = [
        Column("Settings"),
        Column(f"{metric_name(METRIC)} by seed", "chart"),
        Column("Mean", "num"),
        Column("In the search", "num"),
    ]
    found: dict[int | None, float | None] = {trial.number: trial.value for trial in outcome.trials}
    rows = [_finalist(finalist, scale, found.get(finalist.trial)) for finalist in outcome.finalists]
    foot = Row("", [axis(scale), "", ""], look="axis")
    caption = f"Means of {counted(len(outcome.finalists[0].values), 'seed')} on the validation window"
    return section("finals", "The finals", lead, table(caption, columns, rows, foot=foot, look="dotplot"))


def _finalist(finalist: Finalist, scale: Scale, searched: float | None) -> Row:
    dots = [Dot(Interval(mean=value), "liked") for value in finalist.values]
    label = ", ".join(map(figure, finalist.values))
    chart = dot_row(scale, [*dots, Dot(Interval(mean=finalist.mean), "towers")], label)
    name = name_of(finalist.trial)
    return Row(name[0].upper() + name[1:], [chart, figure(finalist.mean), figure(searched)])


def _trials(outcome: Outcome) -> Html:
    columns = [
        Column("Trial"),
        Column("State"),
        Column(metric_name(METRIC), "num"),
        Column("Seconds", "num"),
        Column(""),
    ]
    rows = [_trial(trial) for trial in outcome.trials]
    return section(
        "trials", "All trials", None, details("A row a trial", table("In the order of the draw", columns, rows))
    )


def _trial(trial: TrialRecord) -> Row:
    value = trial.value if trial.value is not None else trial.looks.get(max(trial.looks, default=0))
    seconds = MISSING if trial.seconds is None else f"{trial.seconds:.1f}"
    words = {"complete": "complete", "pruned": f"ended early after {len(trial.looks)} of {LOOKS} looks"}
    state = words.get(trial.state, f"{trial.state}: {trial.note}")
    values: dict[str, Child] = {key: _written(value) for key, value in trial.point.items()}
    return Row(str(trial.number), [state, figure(value), seconds, details("Settings", facts(values))])


def _written(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)
