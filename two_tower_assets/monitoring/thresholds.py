"""When a figure is too far from the reference to be chance: bounds from simulated windows in which nothing happened.

A quiet window is the reference moved by three things. What its people happen to do: users are drawn with replacement
from one window of the reference, with all their rows, since decisions of one user resemble each other (cluster
bootstrap: Davison and Hinkley, "Bootstrap Methods and their Application" (1997), section 3.8). What weeks differ by
beyond that: normal deviations with the covariance of the windows', and the trend in them, which may go on, end or
turn; each by as much as it exceeds its own sampling error. And the reference's own sampling error.

All figures are moved together. Each is measured in units of what it reaches in one of a hundred quiet windows, and a
quiet window's largest figure decides how many units are too many: so the chance of any false alarm is what is asked
for, however many figures there are and however they hang together (max-T: Westfall and Young, "Resampling-Based
Multiple Testing" (1993), section 2.3).
Letters: R simulated windows, W windows of the reference, B blocks, K bins, F figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from two_tower_assets.monitoring.counting import Crowd, Layout, Numbers
from two_tower_assets.monitoring.figures import Measure
from two_tower_assets.monitoring.reference import Crowded

FEWEST_WINDOWS: Final = 4
"""Of the reference; from fewer nothing can be told of how weeks differ."""

_USUAL: Final = 0.99
"""Part of the quiet windows that stay below a figure's own unit."""
_POWERS: Final[Mapping[Measure, float]] = {"psi": 0.5, "jensen_shannon": 0.5, "difference": 1.0}
"""Divergences grow with the square of what moved, a difference with itself."""
_BLOCK: Final = 512
_FASTER_AT_ONCE: Final = 8
"""Draws a block from which on a multinomial number is drawn instead."""
_FEWEST_FOR_TREND: Final = 3
_FEW: Final = 200
"""Draws from which a variance is estimated."""
_RAREST: Final = 1e-4
_SEED: Final = 20_261_127


def quiet_distances(crowded: Crowded, size: int, draws: int, *, ahead: int = 1) -> Numbers:
    """Return how far quiet windows of so many blocks lie from the reference, float64 [R, F].

    The same arguments give the same numbers.

    Args:
        crowded: the reference's crowd.
        size: users or videos of the window.
        draws: R.
        ahead: windows from the reference's last one to this one.
    """
    random = np.random.default_rng((_SEED, size, ahead))
    layout, reference_K = crowded.layout, crowded.shares
    noise_RK = _sampling(crowded, size, draws, random)
    weeks_RK = _weeks(crowded, draws, ahead, random)
    own = np.sqrt(size / max(1, int(crowded.size_W.sum())))
    moved_RK = reference_K + noise_RK + weeks_RK + own * random.permutation(noise_RK)
    shares_RK = layout.shares(np.maximum(moved_RK, 0.0))
    return distances(layout, reference_K, shares_RK)


def bounds(
    crowds: Mapping[Crowd, Layout], quiet: Mapping[Crowd, Numbers], smallest: Mapping[Crowd, Numbers], chance: float
) -> dict[Crowd, Numbers]:
    """Return the bound [F] of each crowd's figures; any of them all is passed by chance as seldom as is asked for.

    Args:
        crowds: figures of each crowd.
        quiet: [R, F] of each crowd.
        smallest: [F], what counts as drift at all; a bound is never below it.
        chance: of a false alarm at one look.
    """
    power = {crowd: np.array([_POWERS[each.measure] for each in layout.figures]) for crowd, layout in crowds.items()}
    usual = {crowd: np.maximum(np.quantile(quiet[crowd], _USUAL, axis=0), smallest[crowd]) for crowd in crowds}
    largest_R = np.max(
        [((quiet[crowd] / usual[crowd]) ** power[crowd]).max(axis=1, initial=0.0) for crowd in crowds], axis=0
    )
    height = max(1.0, float(np.quantile(largest_R, 1 - chance, method="higher")))
    return {crowd: height ** (1 / power[crowd]) * usual[crowd] for crowd in crowds}


def distances(layout: Layout, reference_K: Numbers, shares: Numbers) -> Numbers:
    """Compare shares [..., K] with the reference figure by figure: float64 [..., F]."""
    found = [
        figure.distance(reference_K[layout.places[figure.key]], shares[..., layout.places[figure.key]])
        for figure in layout.figures
    ]
    return np.stack(found, axis=-1)


def _sampling(crowded: Crowded, size: int, draws: int, random: np.random.Generator) -> Numbers:
    """[R, K]: deviation of shares when the blocks of a window are drawn again, the windows in turn."""
    parts = []
    each = -(-draws // len(crowded.blocks))
    for counts_BK in crowded.blocks:
        centre_K = crowded.layout.shares(counts_BK.sum(axis=0))
        for start in range(0, each, _BLOCK):
            rows = min(_BLOCK, each - start)
            drawn_RB = _drawn(random, size, len(counts_BK), rows)
            parts.append(crowded.layout.shares(drawn_RB @ counts_BK) - centre_K)
    drawn_RK: Numbers = random.permutation(np.concatenate(parts))[:draws]
    return drawn_RK


def _drawn(random: np.random.Generator, size: int, blocks: int, rows: int) -> Numbers:
    """[rows, B]: how often each block is among so many that are drawn with replacement."""
    if size > _FASTER_AT_ONCE * blocks:
        return random.multinomial(size, np.full(blocks, 1 / blocks), size=rows).astype(np.float64)
    place = random.integers(blocks, size=(rows, size)) + blocks * np.arange(rows)[:, None]
    return np.bincount(place.ravel(), minlength=rows * blocks).reshape(rows, blocks).astype(np.float64)


def _weeks(crowded: Crowded, draws: int, ahead: int, random: np.random.Generator) -> Numbers:
    """[R, K]: what weeks differ by beyond sampling error, and how far a trend in them may have gone on by then."""
    windows = len(crowded.totals_WK)
    if windows < _FEWEST_FOR_TREND:
        return np.zeros((draws, crowded.layout.width))
    seen_WK = crowded.layout.shares(crowded.totals_WK) - crowded.shares
    own_K = _own_variance(crowded)
    week_W = np.arange(windows) - (windows - 1) / 2
    slope_K = week_W @ seen_WK / (week_W @ week_W)
    rest_WK = seen_WK - week_W[:, None] * slope_K
    freedom = windows - 2
    trend_K = slope_K * _excess(crowded, slope_K**2, own_K / (week_W @ week_W))
    rest_WK = rest_WK * _excess(crowded, (rest_WK**2).sum(axis=0) / freedom, own_K)
    distance = week_W[-1] + ahead
    trend_RK = random.standard_normal((draws, 1)) * distance * trend_K
    # The mean of so few windows is not known exactly either.
    weight_RW = random.standard_normal((draws, windows)) * np.sqrt((1 + 1 / windows) / freedom)
    moved_RK: Numbers = trend_RK + weight_RW @ rest_WK
    return moved_RK


def _own_variance(crowded: Crowded) -> Numbers:
    """[K]: mean variance of a window's shares by what its people happen to do."""
    random = np.random.default_rng(_SEED)
    variances = []
    for counts_BK, size in zip(crowded.blocks, crowded.size_W.tolist(), strict=True):
        one = replace(crowded, blocks=(counts_BK,))
        variances.append((_sampling(one, size, _FEW, random) ** 2).mean(axis=0))
    return np.asarray(np.mean(variances, axis=0), np.float64)


def _excess(crowded: Crowded, seen_K: Numbers, own_K: Numbers) -> Numbers:
    """[K]: square root of the part of a variance that is no sampling error, one for all bins of a figure."""
    scale_K = 1 / np.maximum(crowded.shares, _RAREST)
    factor_K = np.zeros_like(seen_K)
    for place in crowded.layout.places.values():
        seen, own = (float((values[place] * scale_K[place]).sum()) for values in (seen_K, own_K))
        factor_K[place] = np.sqrt(max(0.0, 1 - own / seen)) if seen > 0 else 0.0
    return factor_K
