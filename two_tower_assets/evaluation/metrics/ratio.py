"""Division where the whole may be nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def divide(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """Float64 part / whole, element by element; NaN where the whole is 0."""
    whole = np.asarray(whole, dtype=np.float64)
    share: NDArray[np.float64] = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=share, where=whole != 0)
    return share
