"""What could not be measured, and why."""

from __future__ import annotations

from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import section
from two_tower_assets.evaluation.page.reading import judged_group
from two_tower_assets.evaluation.page.words import method_name, named, trial_name
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS, PER_USER


def missing_measures(page: PageData) -> Html:
    """All gaps, or that there is none."""
    found = gaps(page)
    content = (
        element("ul", [element("li", gap) for gap in found]) if found else element("p", "Everything was measured.")
    )
    return section(
        "gaps", "What could not be measured", "Where something is unknown the gate decides on the safe side.", content
    )


def gaps(page: PageData) -> list[str]:
    """Each thing that was not measured, in a sentence."""
    report = page.report
    trials = [
        f"{trial_name(name)}: the towers were not measured."
        for name in (GLOBAL, PER_USER, NEW_VIDEOS)
        if judged_group(report.trials.get(name)) is None
    ]
    baselines = [
        f"{trial_name(trial)}, {method_name(method)}: {baseline.missing}"
        for trial, methods in report.baselines.items()
        for method, baseline in methods.items()
        if baseline.missing
    ]
    champion = [f"The live release: {report.champion_missing}"] if report.champion_missing else []
    calibration = [] if report.calibration else ["Calibration of the like probability: not measured."]
    sentences = [*map(named, report.notes), *trials, *baselines, *champion, *calibration]
    return list(dict.fromkeys(sentences))
