from __future__ import annotations

from datetime import UTC, datetime

import pytest

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.gate import Answer
from two_tower_assets.evaluation.page.formats import counted, ends, figure, minute, percent, ratio, signed
from two_tower_assets.evaluation.page.reading import Standing, best_baseline, methods_of, standing, standing_of
from two_tower_assets.evaluation.page.sections.verdict import is_lower_bound
from two_tower_assets.evaluation.page.words import method_name, metric_name, named
from two_tower_assets.evaluation.report import Group


def point(value: float) -> Interval:
    return Interval(mean=value)


GROUP = Group(
    users=30,
    targets=5,
    metrics={
        "two_tower": {"ndcg@10": point(0.5), "nope_rate@10": point(0.03), "coverage@10": point(0.4)},
        "two_tower_reranked": {"ndcg@10": point(0.9)},
        "champion": {"ndcg@10": point(0.8), "nope_rate@10": point(0.0)},
        "most_popular": {"ndcg@10": point(0.2), "nope_rate@10": point(0.02), "coverage@10": point(0.1)},
        "ease": {"ndcg@10": point(0.4), "nope_rate@10": point(0.04), "novelty@10": point(8.0)},
    },
    gains={"ease": {"ndcg@10": Interval(mean=0.1, low=0.02, high=0.2)}},
)


def test_the_best_baseline_has_most_of_what_is_good_and_least_of_what_is_not() -> None:
    """Neither the re-ranked towers nor the live release is a baseline; novelty is neither good nor bad."""
    assert best_baseline(GROUP, "ndcg@10") == "ease"
    assert best_baseline(GROUP, "nope_rate@10") == "most_popular"
    assert best_baseline(GROUP, "novelty@10") is None
    assert best_baseline(GROUP, "recall@200") is None


@pytest.mark.parametrize(
    ("other", "metric", "expected"),
    [
        ("ease", "ndcg@10", "better"),
        ("most_popular", "coverage@10", "ahead"),
        ("most_popular", "nope_rate@10", "behind"),
        (None, "ndcg@10", "unknown"),
    ],
)
def test_a_standing_is_clear_only_with_a_paired_interval(other: str | None, metric: str, expected: Standing) -> None:
    assert standing(GROUP, other, metric) == expected


def test_the_fallback_is_a_part_of_what_is_served_and_no_baseline() -> None:
    """However good it is, the best baseline is another; it stands last, and the towers first."""
    served = GROUP.model_copy(update={"metrics": {"fallback": {"ndcg@10": point(0.95)}, **GROUP.metrics}})
    assert best_baseline(served, "ndcg@10") == "ease"
    assert methods_of(served) == [
        "two_tower",
        "two_tower_reranked",
        "champion",
        "most_popular",
        "ease",
        "fallback",
    ]


def test_nothing_is_said_of_a_handful_of_users() -> None:
    """One user's difference has an interval of no width, which does not make it clear."""
    assert standing(GROUP.model_copy(update={"users": 19}), "ease", "ndcg@10") == "few"
    assert standing(GROUP.model_copy(update={"users": 20}), "ease", "ndcg@10") == "better"


@pytest.mark.parametrize(
    ("metric", "low", "high", "expected"),
    [
        ("ndcg@10", 0.01, 0.2, "better"),
        ("ndcg@10", -0.2, -0.01, "worse"),
        ("ndcg@10", -0.01, 0.2, "unclear"),
        ("nope_rate@10", 0.01, 0.2, "worse"),
        ("nope_rate@10", -0.2, -0.01, "better"),
        ("novelty@10", 0.01, 0.2, "unknown"),
    ],
)
def test_an_interval_on_one_side_of_zero_is_clear(metric: str, low: float, high: float, expected: Standing) -> None:
    assert standing_of(Interval(mean=(low + high) / 2, low=low, high=high), metric) == expected


@pytest.mark.parametrize(
    ("question", "value", "bound", "passed", "expected"),
    [
        ("recall@200 beside ease", 0.7, 0.6, True, True),
        ("recall@200 beside ease", 0.5, 0.6, False, True),
        ("nope_rate@10 beside ease", 0.5, 0.6, True, False),
        ("nope_rate@10 beside ease", 0.7, 0.6, False, False),
        ("nope_rate@10 beside ease", 0.6, 0.6, True, False),
        ("recall@200 beside ease", 0.6, 0.6, True, True),
    ],
)
def test_the_side_of_a_bound_follows_from_value_and_answer(
    question: str, value: float, bound: float, passed: bool, expected: bool
) -> None:
    assert is_lower_bound(Answer(question=question, value=value, bound=bound, passed=passed)) is expected


def test_names_are_words_and_unknown_ones_stay_readable() -> None:
    assert method_name("popular_30_days") == "Popular (30 days)"
    assert method_name("my_method") == "My method"
    assert metric_name("nope_rate@10") == "NOPE rate@10"
    assert metric_name("auc") == "AUC"
    assert metric_name("surprise@5") == "Surprise@5"


def test_sentences_of_the_gate_get_the_names_that_people_read() -> None:
    assert named("ndcg@10 minus popular_7_days's, upper bound") == "NDCG@10 minus Popular (7 days)'s, upper bound"
    assert named("recall@200 beside the champion") == "Recall@200 beside the live release"
    assert named("measured") == "Known users asked"
    assert named("the coverage is low: 0.1") == "The coverage is low: 0.1"


def test_figures_have_three_decimals_counts_none_and_what_is_missing_a_dash() -> None:
    assert [figure(value) for value in (0.2894, 1.0, 92.0, 12345.0, -0.05, None, float("nan"))] == [
        "0.289", "1.000", "92", "12,345", "−0.050", "–", "–",
    ]  # fmt: skip
    assert [signed(value) for value in (0.1, -0.1, None)] == ["+0.100", "−0.100", "–"]
    assert [percent(value) for value in (0.7211, 0.0312, 0.0, 0.0999)] == [
        "72\u202f%",
        "3.1\u202f%",
        "0\u202f%",
        "10\u202f%",
    ]
    assert [ratio(3, 2), ratio(1, 0), ratio(None, 2)] == ["×1.50", "–", "–"]
    assert [counted(1, "user"), counted(1200, "user")] == ["1 user", "1,200 users"]
    assert minute(datetime(2026, 3, 1, 9, 5, tzinfo=UTC)) == "2026-03-01 09:05 UTC"


def test_a_figure_without_an_interval_has_no_ends() -> None:
    assert ends(point(0.3)) == ""
    assert ends(Interval(mean=0.3, low=0.2, high=0.4)) == "0.200–0.400"
    assert ends(Interval(mean=0.3, low=-0.2, high=0.4), sign=True) == "−0.200 to +0.400"
