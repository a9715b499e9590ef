"""The report in one paragraph and a few cards: questions that people ask, each answered beside the best baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from two_tower_assets.evaluation.page.formats import counted, day, ends, figure, percent, ratio, signed
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.parts import pill, quiet
from two_tower_assets.evaluation.page.reading import (
    FEWEST_USERS,
    STANDINGS,
    best_baseline,
    judged_group,
    recall_of,
    standing,
)
from two_tower_assets.evaluation.page.words import group_name, method_name, metric_name, metric_of
from two_tower_assets.evaluation.report import MODEL, NDCG, NEW, Group, Report, TrialReport
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS, PER_USER

_CLEARLY: Final = (
    "Cards compare with the best baseline. Clearly: the 95 % interval of the paired difference does not hold zero. "
    f"Untested: that interval was not measured. Too few: fewer than {FEWEST_USERS} users, of whom nothing is said."
)


@dataclass(frozen=True)
class _Finding:
    question: str
    group: Group
    metric: str


def in_short(report: Report) -> Html | None:
    """What the judging trial found, in plain words."""
    trial = report.trials.get(GLOBAL)
    group = judged_group(trial)
    if trial is None or group is None or (metric := recall_of(trial)) not in group.metrics[MODEL]:
        return None
    length, own = metric.partition("@")[2], group.metrics[MODEL][metric].mean
    asked = (
        f"From {day(trial.start)} to {day(trial.end)}, {counted(group.users, group_name(trial.judged).lower()[:-1])}"
    )
    found = f" liked more videos. On average the first {length} of the towers’ list hold {percent(own)} of them"
    return element("p", asked, found, _beside_best(group, metric, own), class_="in-short")


def _beside_best(group: Group, metric: str, own: float) -> str:
    best = best_baseline(group, metric)
    if best is None:
        return "; there was no baseline to compare with."
    other = group.metrics[best][metric].mean
    gain = group.gains.get(best, {}).get(metric)
    tested = "" if gain is None else f", a difference of {signed(gain.mean)} (95 % interval {ends(gain, sign=True)})"
    words = STANDINGS[standing(group, best, metric)][1]
    return f"; the best baseline, {method_name(best)}, holds {percent(other)}: {ratio(own, other)}{tested}, {words}."


def cards(report: Report) -> Child:
    """One card a question, and how to read them; nothing where nothing was measured."""
    found = [card for finding in _findings(report) if (card := _card(finding)) is not None]
    return [element("div", found, class_="cards"), element("p", _CLEARLY, class_="quiet")] if found else None


def _findings(report: Report) -> Iterator[_Finding]:
    judge, continuing, new_videos = (report.trials.get(name) for name in (GLOBAL, PER_USER, NEW_VIDEOS))
    if judge and (group := judged_group(judge)):
        yield _Finding("Are later LIKEs found?", group, recall_of(judge))
        yield _Finding("Are the first ten good?", group, NDCG)
        yield _Finding("Liked, or only looked at?", group, "purity@10")
        yield _Finding("Are NOPEs kept away?", group, "nope_rate@10")
        yield _Finding("Is the catalogue shown?", group, "coverage@10")
    if judge and NEW in judge.groups and MODEL in judge.groups[NEW].metrics:
        yield _Finding("Are new users served?", judge.groups[NEW], recall_of(judge))
    yield from _recall_of("Are new videos found?", new_videos)
    yield from _recall_of("Do sessions go on well?", continuing)


def _recall_of(question: str, trial: TrialReport | None) -> Iterator[_Finding]:
    if trial and (group := judged_group(trial)):
        yield _Finding(question, group, recall_of(trial))


def _card(finding: _Finding) -> Html | None:
    group, metric = finding.group, finding.metric
    own = group.metrics[MODEL].get(metric)
    if own is None:
        return None
    best = best_baseline(group, metric)
    beside = None if best is None else group.metrics[best][metric].mean
    of_whom = f"{metric_name(metric)} · {counted(group.users, 'user')}"
    return element(
        "article",
        element("h3", finding.question),
        element("p", figure(own.mean), element("small", ends(own)), class_="big"),
        element("p", of_whom, class_="quiet", data_tip=metric_of(metric).meaning),
        element("p", pill(standing(group, best, metric))),
        element("p", quiet(f"{method_name(best)} {figure(beside)}, {ratio(own.mean, beside)}")) if best else None,
    )
