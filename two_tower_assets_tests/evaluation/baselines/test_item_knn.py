from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from two_tower_assets.evaluation.baselines import item_knn
from two_tower_assets.evaluation.baselines.item_knn import ItemKnn, similarities
from two_tower_assets.evaluation.baselines.likes import LikedVideos
from two_tower_assets_tests.evaluation.baselines.places import asked, likes, past, ranked, scores

COSINE = {"neighbours": 10, "shrinkage": 0, "asymmetry": 0.5}
PAIRS = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 2)]


def liked(rows: list[list[int]]) -> LikedVideos:
    """Users × videos from a table of zeros and ones; every user and video has a one."""
    like_UM = csr_matrix(np.array(rows, dtype=np.float32))
    return LikedVideos(np.arange(like_UM.shape[1]), np.arange(like_UM.shape[0]), like_UM)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (COSINE, [[0, 2 / math.sqrt(6), 1 / math.sqrt(3)], [2 / math.sqrt(6), 0, 0], [1 / math.sqrt(3), 0, 0]]),
        ({**COSINE, "shrinkage": 3}, [[0, 2 / (math.sqrt(6) + 3), 1 / (math.sqrt(3) + 3)]]),
        ({**COSINE, "asymmetry": 1}, [[0, 2 / 3, 1 / 3], [1, 0, 0], [1, 0, 0]]),
        ({**COSINE, "neighbours": 1}, [[0, 2 / math.sqrt(6), 0], [2 / math.sqrt(6), 0, 0], [1 / math.sqrt(3), 0, 0]]),
    ],
)
def test_similarities_by_hand(parameters: dict[str, float], expected: list[list[float]]) -> None:
    """Video 0 is liked by three users, 1 by two of them, 2 by the third; all like two videos, so all weigh 1."""
    found = similarities(liked([[1, 1, 0], [1, 1, 0], [1, 0, 1]]), parameters).toarray()
    np.testing.assert_allclose(found[: len(expected)], expected, rtol=1e-6)


def test_who_likes_everything_says_little() -> None:
    """Users with 2, 2 and 5 LIKEs weigh 3/2, 3/2 and 3/5: n(0, 1) = 1.5 + 0.6, n(0) = 3.6, n(1) = 2.1."""
    found = similarities(liked([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 1, 1, 1, 1]]), COSINE).toarray()
    assert found[0, 1] == pytest.approx(2.1 / math.sqrt(3.6 * 2.1), rel=1e-6)
    assert found[3, 4] == pytest.approx(1.0, rel=1e-6)


@given(
    st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(st.integers(0, 1), min_size=width, max_size=width))),
    st.sampled_from([0.0, 2.5]),
    st.sampled_from([0.25, 0.5, 1.0]),
    st.integers(1, 7),
    st.integers(1, 40),
)
def test_blocks_give_what_the_formula_gives_entry_by_entry(
    rows: list[list[int]], shrinkage: float, asymmetry: float, neighbours: int, block: int
) -> None:
    """Each row has its largest similarities and zeros else; equal ones may be cut either way."""
    table = np.array([row for row in rows if any(row)])
    if not len(table):
        return
    table = table[:, table.any(axis=0)]
    weight = table.sum() / len(table) / table.sum(axis=1)
    both = (table.T * weight) @ table
    count = np.diag(both)
    expected = both / (np.outer(count**asymmetry, count ** (1 - asymmetry)) + shrinkage)
    np.fill_diagonal(expected, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_knn, "_BLOCK_ENTRIES", block)
        parameters = {"neighbours": neighbours, "shrinkage": shrinkage, "asymmetry": asymmetry}
        found = similarities(liked(table.tolist()), parameters).toarray()
    kept = np.sort(expected, axis=1)[:, ::-1][:, :neighbours]
    np.testing.assert_allclose(np.sort(found, axis=1)[:, ::-1][:, :neighbours], kept, atol=1e-5)
    chosen = found > 0
    assert (chosen.sum(axis=1) <= neighbours).all()
    np.testing.assert_allclose(found[chosen], expected[chosen], atol=1e-5)


def test_neighbours_stand_first_and_the_rest_by_popularity(tmp_path: Path) -> None:
    """User 4 liked video 2 alone, whose neighbour is 0; of the others, 1 is liked more than 3, and 4 not at all."""
    decisions = likes([*PAIRS, (4, 2), (5, 3), (5, 2), (6, 4), (6, 5)])
    data = past(tmp_path, decisions, videos=7, users=5)
    score_UC = scores(ItemKnn().fit(data, {**COSINE, "neighbours": 1}), asked(data))
    assert (score_UC[-1] > 0).nonzero()[0].tolist() == [3]
    assert ranked(score_UC)[-1] == [3, 0, 2, 1, 4, 5, 6]


def test_of_too_many_videos_the_most_liked_are_kept_and_it_is_said(tmp_path: Path) -> None:
    """Two of three: 0 and 1, which three and two users like."""
    data = past(tmp_path, likes(PAIRS), videos=3, users=1)
    fitted = ItemKnn(max_videos=2).fit(data, COSINE)
    assert fitted.video.tolist() == [0, 1]
    assert fitted.notes == ("Only the 2 most liked of 3 liked videos are compared.",)
    assert np.isfinite(scores(fitted, asked(data))).all()
