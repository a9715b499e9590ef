from __future__ import annotations

import pytest

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.gate import judge, judged_recall, lower_bound, non_inferior
from two_tower_assets.evaluation.report import MODEL, NDCG, RECALL, RERANKED
from two_tower_assets.evaluation.trials import GLOBAL
from two_tower_assets.settings import GateSettings
from two_tower_assets_tests.evaluation.reports import around, report

GATE = GateSettings()


def refused(found: object, settings: GateSettings = GATE) -> str:
    """The reasons as one text; empty when the model passes."""
    verdict = judge(found, settings)
    assert verdict.passed == (not verdict.reasons)
    return "; ".join(verdict.reasons)


def test_a_first_release_is_compared_with_baselines_alone() -> None:
    """Better than popularity and within every guardrail: it passes, and no question names a champion."""
    verdict = judge(report(), GATE)
    assert verdict.passed
    assert not any("champion" in answer.question for answer in verdict.answers)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({MODEL: {RECALL: 0.59}}, "recall@200 beside popular_7_days: 0.5900, must be at least 0.6000"),
        ({MODEL: {RECALL: 0.0}}, "recall@200 is 0"),
        ({MODEL: {NDCG: 0.2}, RERANKED: {NDCG: 0.2}}, "ndcg@10 minus popular_7_days's, upper bound: -0.0300"),
        ({MODEL: {"purity@10": 0.7}}, "purity@10 beside most_popular: 0.7000, must be at least 0.7225"),
        ({MODEL: {"nope_rate@10": 0.07}}, "nope_rate@10 beside most_popular: 0.0700, must be at most 0.0600"),
        ({MODEL: {"coverage@10": 0.04}}, "coverage@10 beside most_popular"),
        ({MODEL: {"gini@10": 0.99}}, "gini@10 beside most_popular"),
        ({MODEL: {"maker_hhi@10": 0.05}}, "maker_hhi@10: 0.0500, must be at most 0.0450"),
        ({RERANKED: {NDCG: 0.27}}, "ndcg@10 that re-ranking costs, lower bound: 0.0100, must be at most 0.0090"),
    ],
)
def test_each_broken_bound_refuses_the_model_and_says_by_how_much(
    changes: dict[str, dict[str, float]], reason: str
) -> None:
    """One figure is moved beyond its bound, and the only reason is that one."""
    found = refused(report(changes))
    assert reason in found
    assert ";" not in found


def test_ndcg_is_held_against_a_model_only_where_it_is_surely_lower() -> None:
    """A mean below popularity's whose interval reaches above it is no reason."""
    assert refused(report({MODEL: {NDCG: 0.24}, RERANKED: {NDCG: 0.24}})) == ""


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (report(global_trial=False), "evaluation.test_quantile"),
        (report(users=49), "Only 49 known users"),
        (report(candidates=49), "too small"),
        (report(champion_missing="its recipe is unknown"), "could not be compared: its recipe is unknown"),
        (report(new_video_recalls=(0.3, 0.4)), "new videos: recall@200 beside content_cosine"),
    ],
)
def test_what_cannot_be_measured_or_found_is_refused_with_the_reason(found: object, reason: str) -> None:
    """The live release goes on serving."""
    assert reason in refused(found)


def test_too_few_decisions_to_hide_videos_are_no_fault_of_the_model() -> None:
    """The question is not asked."""
    assert refused(report(new_video_recalls=None)) == ""


@pytest.mark.parametrize(("candidates", "metric"), [(1000, "recall@200"), (999, "recall@50"), (60, "recall@10")])
def test_the_judged_list_fits_into_the_catalogue_five_times(candidates: int, metric: str) -> None:
    """A list of 200 of 300 videos would find nearly everything by chance."""
    assert judged_recall(report(candidates=candidates).trial(GLOBAL)) == metric


def test_a_one_sided_bound_is_the_share_of_the_interval_that_a_normal_one_has() -> None:
    """1.2816 of 1.96 standard errors below the mean."""
    assert lower_bound(Interval(mean=0.0, low=-1.96, high=1.96)) == pytest.approx(-1.2816)


@pytest.mark.parametrize(
    ("gain", "passed"),
    [
        (around(0.0, 0.05), True),  # −0.0327 of 0.7: 4.7 %
        (around(0.0, 0.06), False),  # 5.6 %
        (around(-0.03, 0.005), True),  # surely worse, but by less than 5 %
        (around(-0.035, 0.005), False),
        (around(0.1, 0.01), True),
    ],
)
def test_a_challenger_must_surely_lose_less_than_the_margin(gain: Interval, passed: bool) -> None:
    """The lower bound of the paired difference, over the champion's 0.7, stays above −5 %."""
    answer = non_inferior(gain, 0.7, RECALL, 0.05)
    assert answer.passed == passed
    assert (answer.reason is None) == passed


def test_a_worse_challenger_is_refused_and_an_equal_one_passes() -> None:
    """Through the whole gate, champion's guardrails included."""
    assert refused(report(champion_gain={})) == ""
    assert "below the champion's" in refused(report(champion_gain={RECALL: around(-0.1)}))
    assert "ndcg@10 minus champion's" in refused(report(champion_gain={NDCG: around(-0.05)}))


def test_the_bounds_are_settings() -> None:
    """A model that is refused passes when somebody knowingly asks for less."""
    lower = report({MODEL: {RECALL: 0.59}})
    assert refused(lower)
    assert refused(lower, GateSettings(min_recall_ratio=0.9)) == ""
