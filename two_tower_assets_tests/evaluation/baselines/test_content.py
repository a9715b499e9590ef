from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines.content import ContentCosine, content
from two_tower_assets_tests.evaluation.baselines.places import asked, likes, past, ranked, scores
from two_tower_assets_tests.features.worlds import START

PLAIN = {"idf_power": 0.0, "performer_weight": 1.0, "numeric_weight": 0.0}
TAGGED = [{"tags": ["a", "b"]}, {"tags": ["a"]}, {"tags": ["c"]}, {"tags": ["b", "c"]}, {"tags": []}, {"tags": ["b"]}]


def test_scores_are_cosines_with_the_mean_of_what_was_liked(tmp_path: Path) -> None:
    """Mean of {a} and {c}, so both at equal weight: {a, b} has cosine 1/2, {b, c} as well, {a} and {c} 1/√2.

    Popularity adds at most 0.0001, in proportion to log(1 + LIKEs).
    """
    data = past(tmp_path, likes([(1, 1), (1, 2), (2, 3)]), videos=TAGGED, users=2)
    fitted = ContentCosine().fit(data, PLAIN)
    tie = 1e-4 * np.array([0, 1, 1, 1, 0, 0]) * math.log(2)
    expected = np.array([0.5, math.sqrt(0.5), math.sqrt(0.5), 0.5, 0, 0]) + tie
    score_UC = scores(fitted, asked(data))
    np.testing.assert_allclose(score_UC[1], expected, atol=1e-7)
    assert ranked(score_UC)[1] == [1, 2, 3, 0, 4, 5]


def test_rare_names_weigh_more_by_idf(tmp_path: Path) -> None:
    """With idf, what shares the rare name stands before what shares the common one; a power of 0 makes them equal."""
    items = [{"tags": ["rare", "common"]}, {"tags": ["common"]}, {"tags": ["rare"]}] + [{"tags": ["common"]}] * 5
    data = past(tmp_path, likes([(1, 0)]), videos=items)
    rare, common = math.log(9 / 3), math.log(9 / 8)
    first, by_common, by_rare = content(data, {**PLAIN, "idf_power": 1.0}).toarray()[:3]
    assert first @ by_rare == pytest.approx(rare / math.hypot(rare, common), abs=1e-6)
    assert first @ by_common == pytest.approx(common / math.hypot(rare, common), abs=1e-6)


def test_performers_and_numerics_weigh_what_their_parameters_say(tmp_path: Path) -> None:
    """A tag and a performer at weight ½: lengths 1 and ½; numerics stand beside names of length 1, clipped at 3 σ."""
    day = timedelta(days=1)
    items = [{"tags": ["a"], "performers": ["p"]}, {"tags": ["a"]}] + [
        {"performers": ["p"], "product_released_at": START - day * number} for number in range(20)
    ]
    items[2]["price"] = 1e6
    data = past(tmp_path, likes([(1, 0)]), videos=items)
    rows = content(data, {**PLAIN, "performer_weight": 0.5}).toarray()
    assert rows[0] @ rows[1] == pytest.approx(2 / math.sqrt(5), abs=1e-6)
    assert rows[0] @ rows[2] == pytest.approx(1 / math.sqrt(5), abs=1e-6)
    numeric = np.clip(data.items.dense, -3, 3) * 0.5
    assert numeric.max() == 1.5
    expected = np.hstack([np.eye(2)[[1] * len(items)], numeric])
    expected[0, :2], expected[1, :2] = math.sqrt(0.5), (1, 0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    rows = content(data, {**PLAIN, "numeric_weight": 0.5}).toarray()
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_what_is_alike_stands_by_popularity(tmp_path: Path) -> None:
    """Videos with the same tags: the more liked one first, whatever its index."""
    data = past(tmp_path, likes([(1, 1), (2, 3), (3, 3), (2, 2)]), videos=[{"tags": ["a"]}] * 5, users=2)
    assert ranked(scores(ContentCosine().fit(data, PLAIN), asked(data)))[1] == [3, 1, 2, 0, 4]


def test_an_inactive_liked_video_still_tells_the_taste(tmp_path: Path) -> None:
    """It is no candidate, but what it is about is known."""
    items = [{"tags": ["a"]}, {"tags": ["b"]}, {"tags": ["b"], "is_active": False}]
    data = past(tmp_path, likes([(1, 2), (2, 0)]), videos=items, users=2)
    assert ranked(scores(ContentCosine().fit(data, PLAIN), asked(data)))[1] == [1, 0]


def test_videos_without_names_that_differ_cannot_be_compared(tmp_path: Path) -> None:
    """No names at all, or one that every video has: the error says what to load; numerics can be compared still."""
    data = past(tmp_path, likes([(1, 1)]), videos=[{"price": 1.0}, {"price": 3.0}], users=1)
    with pytest.raises(EvaluationError, match="No tag or performer"):
        ContentCosine().fit(data, PLAIN)
    alike = past(tmp_path / "alike", likes([(1, 1)]), videos=[{"tags": ["a"]}] * 3, users=1)
    with pytest.raises(EvaluationError, match="No tag or performer"):
        ContentCosine().fit(alike, {**PLAIN, "idf_power": 1.0})
    fitted = ContentCosine().fit(data, {**PLAIN, "numeric_weight": 1.0})
    assert np.isfinite(scores(fitted, asked(data))).all()
