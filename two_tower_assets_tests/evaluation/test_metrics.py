from __future__ import annotations

import math

import numpy as np
import pytest

from two_tower_assets.evaluation.metrics import coverage_at, ndcg_at, recall_at

HITS = np.array([[True, False, True, False], [False, False, False, True], [False] * 4])
RELEVANT = np.array([4, 1, 2])


def test_recall_is_the_share_of_relevant_videos_found() -> None:
    """Of 4, 1 and 2 relevant: 2, 0 and 0 in the first three, and 1 of 1 in the first four."""
    assert recall_at(HITS, RELEVANT, 3).tolist() == [0.5, 0.0, 0.0]
    assert recall_at(HITS, RELEVANT, 4).tolist() == [0.5, 1.0, 0.0]


def test_ndcg_discounts_by_the_logarithm_of_the_rank() -> None:
    """Hits at ranks 1 and 3 of 4 relevant: (1 + 1/2) / (1 + 1/log₂3 + 1/2); a sole hit at rank 4: 1/log₂5."""
    ideal = 1 + 1 / math.log2(3) + 0.5
    assert ndcg_at(HITS, RELEVANT, 3).tolist() == pytest.approx([1.5 / ideal, 0, 0])
    assert ndcg_at(HITS, RELEVANT, 4)[1] == pytest.approx(1 / math.log2(5))


def test_a_perfect_list_has_ndcg_one_even_when_shorter_than_k() -> None:
    """All relevant first gives 1, also where lists end before k."""
    assert ndcg_at(np.array([[True, True, False]]), np.array([2]), 10).tolist() == pytest.approx([1.0])
    assert ndcg_at(np.array([[True, True]]), np.array([5]), 2).tolist() == pytest.approx([1.0])


def test_coverage_counts_each_shown_candidate_once_and_no_padding() -> None:
    """Candidates 0, 1, 3 of ten are shown in the first two places."""
    assert coverage_at(np.array([[0, 1, 7], [1, 3, 8], [3, -1, -1]]), 10, 2) == pytest.approx(0.3)
