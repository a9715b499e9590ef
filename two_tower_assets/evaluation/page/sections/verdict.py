"""May the model be released, in plain words, and every question of the gate with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from two_tower_assets.evaluation.gate import Answer, Verdict
from two_tower_assets.evaluation.page.charts.dots import bullet
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import MISSING, counted, ends, figure, ratio
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, pill, quiet, section, table
from two_tower_assets.evaluation.page.reading import best_baseline, judged_group, recall_of, standing
from two_tower_assets.evaluation.page.sections.gaps import gaps
from two_tower_assets.evaluation.page.words import method_name, metric_name, metric_of, named
from two_tower_assets.evaluation.report import MODEL, NDCG, NEW, Group, Report
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS, PER_USER


@dataclass(frozen=True)
class _Finding:
    """A question that people ask, and the figures that answer it."""

    question: str
    group: Group
    metric: str


def verdict(page: PageData) -> Html:
    """The first thing to read."""
    return section(
        "verdict",
        "Verdict",
        None,
        _banner(page),
        element("div", [_card(finding) for finding in _findings(page.report)], class_="cards"),
        element("h3", "Every question of the gate"),
        _questions(page.verdict),
    )


def _banner(page: PageData) -> Html:
    found = page.verdict
    yes, asked = sum(answer.passed for answer in found.answers), len(found.answers)
    sign, word = ("✓", "Passed") if found.passed else ("✗", "Refused")
    said = (
        "This model may replace what serves now." if found.passed else "This model may not replace what serves now."
    )
    unmeasured = len(gaps(page))
    return element(
        "div",
        element("p", element("span", sign, class_="sign", aria_hidden="true"), word, class_="word"),
        element("p", said, f" {yes} of {counted(asked, 'question')} answered yes."),
        element("ul", [element("li", named(reason)) for reason in found.reasons]) if found.reasons else None,
        element(
            "p", element("a", f"{counted(unmeasured, 'thing')} could not be measured", href="#gaps"), class_="quiet"
        )
        if unmeasured
        else None,
        class_=f"banner {'passed' if found.passed else 'refused'}",
    )


def _findings(report: Report) -> Iterator[_Finding]:
    judge, continuing, new_videos = (report.trials.get(name) for name in (GLOBAL, PER_USER, NEW_VIDEOS))
    if judge and (group := judged_group(judge)):
        yield _Finding("Are later LIKEs found?", group, recall_of(judge))
        yield _Finding("Are the first ten good?", group, NDCG)
        yield _Finding("Liked, or only looked at?", group, "purity@10")
        yield _Finding("Is much of the catalogue shown?", group, "coverage@10")
    if judge and NEW in judge.groups and MODEL in judge.groups[NEW].metrics:
        yield _Finding("Are new users served?", judge.groups[NEW], recall_of(judge))
    if new_videos and (group := judged_group(new_videos)):
        yield _Finding("Are new videos found?", group, recall_of(new_videos))
    if continuing and (group := judged_group(continuing)):
        yield _Finding("Do sessions go on well?", group, recall_of(continuing))


def _card(finding: _Finding) -> Html | None:
    group, metric = finding.group, finding.metric
    own = group.metrics[MODEL].get(metric)
    if own is None:
        return None
    best = best_baseline(group, metric)
    beside = None if best is None else group.metrics[best][metric].mean
    return element(
        "article",
        element("h3", finding.question),
        element("p", figure(own.mean), element("small", ends(own)), class_="big"),
        element(
            "p",
            metric_name(metric),
            f" · {counted(group.users, 'user')}",
            class_="quiet",
            data_tip=metric_of(metric).meaning,
        ),
        element("p", pill(standing(group, best, metric))),
        element("p", quiet(f"{method_name(best)} {figure(beside)}, {ratio(own.mean, beside)}")) if best else None,
    )


def _questions(found: Verdict) -> Html:
    columns = [
        Column("Question"),
        Column("Answer", "answer"),
        Column("Value", "num"),
        Column("Must be", "num"),
        Column("Value beside its bound", "chart wide"),
    ]
    return table(
        "What the gate asked, and what it found",
        columns,
        [_question(answer) for answer in found.answers],
        look="gate",
    )


def _question(answer: Answer) -> Row:
    at_least = is_lower_bound(answer)
    sign, word = ("✓", "yes") if answer.passed else ("✗", "no")
    bound = MISSING if answer.bound is None else f"{'≥' if at_least else '≤'}\u00a0{figure(answer.bound)}"
    drawn = None
    if answer.value is not None and answer.bound is not None:
        label = f"{figure(answer.value)}, must be {bound}"
        drawn = bullet(answer.value, answer.bound, at_least=at_least, passed=answer.passed, label=label)
    reason = answer.reason if answer.reason and answer.bound is None else None
    head = [named(answer.question), element("small", named(reason)) if reason else None]
    said = element(
        "span", element("span", sign, aria_hidden="true"), f" {word}", class_="yes" if answer.passed else "no"
    )
    return Row(head, [said, figure(answer.value), bound, drawn])


def is_lower_bound(answer: Answer) -> bool:
    """Whether more is better, as value, bound and answer tell; by the metric where value and bound are equal."""
    if answer.value is None or answer.bound is None or answer.value == answer.bound:
        return metric_of(answer.question.partition(" ")[0]).better >= 0
    return answer.passed == (answer.value > answer.bound)
