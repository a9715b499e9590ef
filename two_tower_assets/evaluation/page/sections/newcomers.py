"""New users and new videos, of which nothing is known but their features."""

from __future__ import annotations

from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import missing, pair, section
from two_tower_assets.evaluation.page.reading import headline_metrics, judged_group
from two_tower_assets.evaluation.page.sections.comparison import asked, dot_table
from two_tower_assets.evaluation.page.words import trial_meaning, trial_name
from two_tower_assets.evaluation.report import MODEL, NEW, TrialReport
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS


def newcomers(page: PageData) -> Html:
    """Dot plots of both."""
    half_life = page.report.choices.fallback_half_life_days
    return section(
        "newcomers",
        "New users and new videos",
        f"Users without any decision get popularity that halves every {half_life:g} days, and are measured so here.",
        element("h3", "New users"),
        _new_users(page.report.trials.get(GLOBAL)),
        element("h3", trial_name(NEW_VIDEOS)),
        element("p", trial_meaning(NEW_VIDEOS)),
        _new_videos(page.report.trials.get(NEW_VIDEOS)),
    )


def _new_users(trial: TrialReport | None) -> Html:
    group = None if trial is None else trial.groups.get(NEW)
    if trial is None or group is None or MODEL not in group.metrics:
        return missing("No user of the test window was new.")
    return element(
        "div",
        element("p", f"{group.users:,} users decided for the first time in the test window.", class_="quiet"),
        pair(*(dot_table(group, metric) for metric in headline_metrics(trial))),
    )


def _new_videos(trial: TrialReport | None) -> Html:
    group = judged_group(trial)
    if trial is None or group is None:
        return missing("New videos were not measured.")
    return element(
        "div",
        element("p", asked(trial), class_="quiet"),
        pair(*(dot_table(group, metric) for metric in headline_metrics(trial))),
    )
