"""Bins that a value falls into, laid down by the reference: quantiles of numbers, frequent words, known names.

What is null or no finite number has a bin of its own, so that a column that goes missing is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Kind = Literal["numbers", "words", "names", "truths"]
Codes = NDArray[np.int64]

MISSING: Final = "missing"
OTHER: Final = "other"
UNKNOWN: Final = "unknown"

_QUANTILES: Final = tuple(number / 10 for number in range(1, 10))
_MOST_WORDS: Final = 30
_SHORT_NUMBER: Final = "{:,.4g}"


class Bins(BaseModel):
    """The bins of one figure, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    kind: Kind
    edges: tuple[float, ...] = ()
    """Of numbers: bin k holds the values of edges[k − 1] up to, not including, edges[k]."""
    words: tuple[str, ...] = ()
    """Of words and names: those that have a bin of their own."""

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self.labels)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds, as people read it."""
        match self.kind:
            case "numbers":
                return (*_ranges(self.edges), MISSING)
            case "words":
                return (*self.words, OTHER)
            case "names":
                return (*self.words, OTHER, UNKNOWN)
            case "truths":
                return ("no", "yes")

    def codes(self, values: pl.Series, vocabulary: Sequence[str] = ()) -> Codes:
        """Return the bin of each value, int64 [N]; truths that are null have none, which is −1.

        Args:
            values: numbers, text or truths, as the kind says.
            vocabulary: of names: those that the model knows.
        """
        match self.kind:
            case "numbers":
                return self._of_numbers(values)
            case "words":
                return self._of_words(values, other=len(self.words))
            case "names":
                codes = self._of_words(values, other=len(self.words))
                known = values.is_in(list(vocabulary)).fill_null(value=False).to_numpy()
                return np.where((codes == len(self.words)) & ~known, len(self.words) + 1, codes)
            case "truths":
                return values.cast(pl.Int64).fill_null(-1).to_numpy()

    def _of_numbers(self, values: pl.Series) -> Codes:
        numbers = _as_numbers(values)
        codes = np.searchsorted(np.asarray(self.edges, np.float64), numbers, side="right")
        return np.where(np.isfinite(numbers), codes, len(self.edges) + 1).astype(np.int64)

    def _of_words(self, values: pl.Series, *, other: int) -> Codes:
        numbered = {word: number for number, word in enumerate(self.words)}
        codes = values.cast(pl.String).replace_strict(
            list(numbered), list(numbered.values()), default=other, return_dtype=pl.Int64
        )
        return codes.to_numpy()


def number_bins(values: pl.Series) -> Bins:
    """Lay bins at the tenths of what is finite; a value that several tenths share has a bin of its own."""
    numbers = _as_numbers(values)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return Bins(kind="numbers")
    tenths = np.quantile(finite, _QUANTILES, method="inverted_cdf")
    value, times = np.unique(tenths, return_counts=True)
    shared = value[times > 1]
    above = np.nextafter(shared[shared < np.finfo(np.float64).max], np.inf)
    return Bins(kind="numbers", edges=tuple(np.unique(np.concatenate((value, above))).tolist()))


def word_bins(values: pl.Series, kind: Literal["words", "names"] = "words") -> Bins:
    """Give each of the most frequent words a bin, ties by name."""
    counts = values.cast(pl.String).drop_nulls().value_counts().sort("count", values.name, descending=[True, False])
    return Bins(kind=kind, words=tuple(counts[values.name].head(_MOST_WORDS).to_list()))


def _as_numbers(values: pl.Series) -> NDArray[np.float64]:
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _ranges(edges: Sequence[float]) -> Iterator[str]:
    written = [_SHORT_NUMBER.format(edge) for edge in edges]
    if not written:
        yield "any number"
        return
    yield f"below {written[0]}"
    for low, high in pairwise(written):
        yield low if low == high else f"{low} to {high}"
    yield f"{written[-1]} and more"
