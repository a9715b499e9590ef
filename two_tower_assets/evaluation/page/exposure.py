"""Which makers and how popular videos the lists show, beside what users later liked.

Letters: U users, K ranks, C candidates, T later LIKEs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.page.data import Exposure, MakerExposure
from two_tower_assets.evaluation.report import MODEL

TOP: Final = 10
MAKERS: Final = 15
DECILES: Final = 10


def exposure(
    top_UK: Mapping[str, NDArray[np.int64]],
    liked_T: NDArray[np.int64],
    *,
    makers: Sequence[str | None],
    likes_C: NDArray[np.int64],
) -> Exposure:
    """Share of the places by maker and by popularity decile.

    Args:
        top_UK: each method's lists, as places among the candidates, −1 where there were no more; the makers are those
            that `MODEL` shows most, or the first method without it.
        liked_T: places of what the same users later liked.
        makers: [C] name of each candidate's maker, None when unknown.
        likes_C: LIKEs of each candidate that were known when the lists were made.
    """
    shown = {name: _places(lists) for name, lists in top_UK.items()}
    return Exposure(
        makers=_makers(shown, liked_T, makers),
        liked_deciles=_deciles(liked_T, likes_C),
        shown_deciles={name: _deciles(places, likes_C) for name, places in shown.items()},
    )


def popularity_decile(likes_C: NDArray[np.int64]) -> NDArray[np.int64]:
    """[C] 0 for the most liked tenth of the candidates to 9 for the least liked; equals by their order."""
    order = np.argsort(-likes_C, kind="stable")
    decile_C = np.empty(len(likes_C), dtype=np.int64)
    decile_C[order] = np.arange(len(likes_C)) * DECILES // max(1, len(likes_C))
    return decile_C


def _places(top_UK: NDArray[np.int64]) -> NDArray[np.int64]:
    shown = top_UK[:, :TOP].ravel()
    return shown[shown >= 0]


def _deciles(places: NDArray[np.int64], likes_C: NDArray[np.int64]) -> tuple[float, ...]:
    counts = np.bincount(popularity_decile(likes_C)[places], minlength=DECILES)
    return tuple(_shares(counts).tolist())


def _makers(
    shown: Mapping[str, NDArray[np.int64]], liked_T: NDArray[np.int64], makers: Sequence[str | None]
) -> tuple[MakerExposure, ...]:
    names = sorted({name for name in makers if name is not None})
    number_of: dict[str | None, int] = {name: number for number, name in enumerate(names)} | {None: len(names)}
    maker_C = np.array([number_of[name] for name in makers], dtype=np.int64)
    shares = {
        method: _shares(np.bincount(maker_C[places], minlength=len(number_of))) for method, places in shown.items()
    }
    liked = _shares(np.bincount(maker_C[liked_T], minlength=len(number_of)))
    first = shares.get(MODEL, next(iter(shares.values()), liked))
    most = [int(number) for number in np.argsort(-first, kind="stable")[:MAKERS] if first[number] > 0]
    return tuple(
        MakerExposure(
            name=[*names, None][number],
            liked=float(liked[number]),
            shown={method: float(share[number]) for method, share in shares.items()},
        )
        for number in most
    )


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / max(1, counts.sum())
    return shares
