"""How much of something a few makers have: of the catalogue, of what is shown, of what is liked.

A video whose maker is unknown counts as made by a maker of its own, the same wherever that video stands: all of them
as one maker would make up a dominant one, leaving them out would let the rest look like the whole.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

UNKNOWN_MAKER: Final = -1


def shares_of(video_N: NDArray[np.integer], maker_V: NDArray[np.integer]) -> NDArray[np.float64]:
    """Share of each maker among entries, in no particular order.

    Args:
        video_N: videos, as places in `maker_V`, each as often as it counts: the catalogue once each, `top_UK[:, :k]`,
            or one entry a LIKE. Of any shape; negative entries are padding and do not count.
        maker_V: maker of each video, −1 where unknown.

    Returns:
        float64, one entry for each maker that occurs, adding up to 1; empty when nothing counts.
    """
    video = video_N[video_N >= 0]
    maker = maker_V[video].astype(np.int64)
    _, count = np.unique(np.where(maker == UNKNOWN_MAKER, UNKNOWN_MAKER - 1 - video, maker), return_counts=True)
    return count / max(1, len(video))


def maker_concentration(share_M: NDArray[np.float64]) -> float:
    """Herfindahl–Hirschman index Σ share²: 1 when one maker has all, 1/n when n makers share equally.

    Its inverse is the effective number of makers. Hirschman, "The paternity of an index", American Economic Review 54
    (1964). NaN without shares.
    """
    return float((share_M**2).sum()) if len(share_M) else float("nan")
