"""The gate at its bounds: what just passes, what just does not, and what is not asked at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.gate import Verdict, judge, judged_recall, non_inferior
from two_tower_assets.evaluation.report import ALL, CHAMPION, KNOWN, MODEL, NDCG, NEW, RECALL, RERANKED, Report
from two_tower_assets.evaluation.trials import GLOBAL
from two_tower_assets.settings import GateSettings
from two_tower_assets_tests.evaluation.reports import FIGURES, around, report

GATE = GateSettings()


def refusals(found: Report, settings: GateSettings = GATE) -> list[str]:
    """Questions that are answered by no; a refusal always has a reason and stops the model."""
    verdict = judge(found, settings)
    failed = [answer for answer in verdict.answers if not answer.passed]
    assert all(answer.reason for answer in failed)
    assert verdict.passed == (not failed)
    return [answer.question for answer in failed]


def without(found: Report, *methods: str) -> Report:
    """The report without some methods of the judged group."""
    (group,) = found.trial(GLOBAL).groups.values()
    metrics = {name: figures for name, figures in group.metrics.items() if name not in methods}
    return with_groups(found, {KNOWN: group.model_copy(update={"metrics": metrics})})


def with_groups(found: Report, groups: object) -> Report:
    judged = found.trial(GLOBAL).model_copy(update={"groups": groups})
    return found.model_copy(update={"trials": {**found.trials, GLOBAL: judged}})


def beside(**champion: float) -> Report:
    """A champion like the model, but for some figures; `_at_` stands for @ in their names."""
    found = report(champion_gain={})
    (group,) = found.trial(GLOBAL).groups.values()
    changes = {name.replace("_at_", "@"): around(value) for name, value in champion.items()}
    metrics = {**group.metrics, CHAMPION: {**group.metrics[CHAMPION], **changes}}
    return with_groups(found, {KNOWN: group.model_copy(update={"metrics": metrics})})


def test_a_verdict_is_json_and_asks_about_every_metric() -> None:
    """It reads back equal."""
    verdict = judge(report(champion_gain={}), GATE)
    asked = " ".join(answer.question for answer in verdict.answers)
    assert all(metric in asked for metric in FIGURES[MODEL] if metric not in {"recall@10", "recall@50"})
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.parametrize(
    ("metric", "at_bound", "beyond"),
    [
        (RECALL, 0.6, 0.599),
        ("purity@10", 0.7225, 0.7224),
        ("nope_rate@10", 0.06, 0.0601),
        ("coverage@10", 0.05, 0.0499),
        ("gini@10", 0.98, 0.9801),
        ("maker_hhi@10", 0.045, 0.0451),
    ],
)
def test_at_a_bound_a_model_passes_and_beyond_it_that_one_question_stops_it(
    metric: str, at_bound: float, beyond: float
) -> None:
    """The bound itself is allowed."""
    assert refusals(report({MODEL: {metric: at_bound}})) == []
    (question,) = refusals(report({MODEL: {metric: beyond}}))
    assert question.startswith(metric)


def test_re_ranking_may_not_surely_cost_more_than_three_percent_and_must_have_been_measured() -> None:
    """Of 0.3 that is 0.009, and the interval begins 0.02 below the mean; lists not re-ranked are refused."""
    assert refusals(report({RERANKED: {NDCG: 0.2711}})) == []
    assert refusals(report({RERANKED: {NDCG: 0.2709}})) == ["ndcg@10 that re-ranking costs, lower bound"]
    assert refusals(without(report(), RERANKED)) == ["re-ranked lists"]


def test_without_popularity_or_the_model_itself_nothing_is_let_through() -> None:
    """A comparison that was not made is no comparison won."""
    assert refusals(without(report(), "most_popular", "popular_7_days")) == ["recall@200 beside popularity"]
    assert refusals(without(report(), MODEL)) == ["measured"]
    assert refusals(report().model_copy(update={"trials": {}})) == ["measured"]


def test_each_metric_is_compared_with_the_popularity_that_is_best_at_it() -> None:
    """Recall with the last week's and NDCG with all time's, where each is the higher one; never the lower one."""
    found = report({"most_popular": {NDCG: 0.27}})
    asked = [answer.question for answer in judge(found, GATE).answers]
    assert "recall@200 beside popular_7_days" in asked
    assert "ndcg@10 minus most_popular's, upper bound" in asked
    assert refusals(report({"most_popular": {RECALL: 0.71}})) == ["recall@200 beside most_popular"]
    assert refusals(report({"most_popular": {NDCG: 0.33}})) == ["ndcg@10 minus most_popular's, upper bound"]


def test_everybody_is_judged_where_nobody_is_new_and_new_users_alone_are_not() -> None:
    """The group of all stands for the known ones; of new users the towers know nothing."""
    (group,) = report().trial(GLOBAL).groups.values()
    assert refusals(with_groups(report(), {ALL: group})) == []
    assert refusals(with_groups(report(), {NEW: group})) == ["measured"]


def test_the_smallest_numbers_that_are_judged() -> None:
    """Fifty users and fifty candidates are enough; one of either less is not, and no list fits into 49."""
    assert refusals(report(users=50, candidates=50, new_video_recalls=None)) == []
    assert refusals(report(users=50), GateSettings(min_users=51)) == ["measured"]
    assert judged_recall(report(candidates=49).trial(GLOBAL)) is None


def test_makers_may_be_as_narrow_as_popular_lists_are_and_are_not_asked_about_where_unknown() -> None:
    """Beside popular lists of 0.4 a model may have 0.6; without makers of what was liked there is no bound."""
    assert refusals(report({MODEL: {"maker_hhi@10": 0.6}, "most_popular": {"maker_hhi@10": 0.4}})) == []
    narrow = report({MODEL: {"maker_hhi@10": 0.9}})
    judged = narrow.trial(GLOBAL).model_copy(update={"liked_maker_hhi": None})
    assert refusals(narrow.model_copy(update={"trials": {**narrow.trials, GLOBAL: judged}})) == []


@pytest.mark.parametrize(
    ("metric", "close", "far"),
    [
        ("purity@10", 0.99, 1.01),
        ("coverage@10", 0.249, 0.251),
        ("nope_rate@10", 0.034, 0.033),
        ("gini@10", 0.751, 0.749),
        ("maker_hhi@10", 0.0167, 0.0166),
    ],
)
def test_beside_the_champion_each_guardrail_allows_a_fifth(metric: str, close: float, far: float) -> None:
    """A model may be a fifth worse than the champion in each of these, and no more."""
    name = metric.replace("@", "_at_")
    assert refusals(beside(**{name: close})) == []
    assert refusals(beside(**{name: far})) == [f"{metric} beside {CHAMPION}"]


def test_a_champion_that_found_nothing_is_no_obstacle() -> None:
    """No share of 0 can be lost."""
    assert refusals(beside(recall_at_200=0.0)) == []


def test_the_margin_is_a_setting() -> None:
    """Surely 6 % below the champion: refused at a margin of 5 %, let through at 7 %."""
    worse = report(champion_gain={RECALL: around(-0.042, 0.001)})
    assert refusals(worse) == ["recall@200 beside the champion"]
    assert refusals(worse, GateSettings(margin=0.07)) == []


@given(st.floats(-0.5, 0.5), st.floats(0, 0.5), st.floats(0.01, 1), st.floats(0.01, 0.5))
def test_more_gain_less_doubt_or_a_wider_margin_never_turns_yes_into_no(
    gain: float, half: float, champion: float, margin: float
) -> None:
    """Non-inferiority is monotone in each of them."""
    if non_inferior(around(gain, half), champion, RECALL, margin).passed:
        assert non_inferior(around(gain + 0.1, half), champion, RECALL, margin).passed
        assert non_inferior(around(gain, half / 2), champion, RECALL, margin).passed
        assert non_inferior(around(gain, half), champion, RECALL, margin * 1.5).passed
