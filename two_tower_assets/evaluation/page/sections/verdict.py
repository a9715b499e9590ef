"""May the model be released, in plain words, and every question of the gate with its numbers."""

from __future__ import annotations

from two_tower_assets.evaluation.gate import Answer, Verdict
from two_tower_assets.evaluation.page.charts.dots import bullet
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import MISSING, counted, figure
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, section, table
from two_tower_assets.evaluation.page.sections.gaps import gaps
from two_tower_assets.evaluation.page.sections.summary import cards, in_short
from two_tower_assets.evaluation.page.words import metric_of, named

_COLUMNS = (
    Column("Question"),
    Column("Value", "num"),
    Column("Must be", "num"),
    Column("Value, and where it must lie", "chart wide"),
)


def verdict(page: PageData) -> Html:
    """The first thing to read."""
    questions = [_question(answer) for answer in page.verdict.answers]
    return section(
        "verdict",
        "Verdict",
        None,
        _banner(page),
        cards(page.report),
        element("h3", "Every question of the gate"),
        table("What the gate asked: ✓ yes, ✗ no", _COLUMNS, questions, look="gate"),
    )


def _banner(page: PageData) -> Html:
    found = page.verdict
    sign, word = ("✓", "Passed") if found.passed else ("✗", "Refused")
    return element(
        "div",
        element("p", element("span", sign, class_="sign", aria_hidden="true"), word, class_="word"),
        element("p", _said(found)),
        element("ul", [element("li", named(reason)) for reason in found.reasons]) if found.reasons else None,
        in_short(page.report),
        _unmeasured(page),
        class_=f"banner {'passed' if found.passed else 'refused'}",
    )


def _said(found: Verdict) -> str:
    yes, asked = sum(answer.passed for answer in found.answers), counted(len(found.answers), "question")
    may = "may" if found.passed else "may not"
    return f"This model {may} replace what serves now: {yes} of {asked} of the gate answered yes."


def _unmeasured(page: PageData) -> Html | None:
    found = len(gaps(page))
    link = element("a", f"{counted(found, 'thing')} could not be measured", href="#gaps")
    return element("p", link) if found else None


def _question(answer: Answer) -> Row:
    at_least = is_lower_bound(answer)
    bound = MISSING if answer.bound is None else f"{'≥' if at_least else '≤'}\u00a0{figure(answer.bound)}"
    chart = None
    if answer.value is not None and answer.bound is not None:
        label = f"{figure(answer.value)}, must be {bound}"
        chart = bullet(answer.value, answer.bound, at_least=at_least, passed=answer.passed, label=label)
    # A reason that has numbers repeats them.
    reason = element("small", named(answer.reason)) if answer.reason and answer.bound is None else None
    return Row([_sign(answer), " ", named(answer.question), reason], [figure(answer.value), bound, chart])


def _sign(answer: Answer) -> Html:
    sign, word = ("✓", "yes") if answer.passed else ("✗", "no")
    return element("span", sign, class_=word, role="img", aria_label=word)


def is_lower_bound(answer: Answer) -> bool:
    """Whether more is better, as value, bound and answer tell; by the metric where value and bound are equal."""
    if answer.value is None or answer.bound is None or answer.value == answer.bound:
        return metric_of(answer.question.partition(" ")[0]).better >= 0
    return answer.passed == (answer.value > answer.bound)
