"""The distinct ids of a column of uuids, found while its rows come in.

Ids are 16 bytes; as text each is held once, in the dictionaries of a parquet file. What does not live here: where the
rows come from (`decision_copy`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from two_tower_assets.sources.coerce import hyphenated

BYTES: Final = 16


@dataclass(frozen=True)
class Ids:
    """Distinct ids in order."""

    pairs: NDArray[np.uint64]
    """[N, 2]: both halves of each id."""

    def text(self) -> pa.Array[Any]:
        """Return the ids as text, in order."""
        digits = pl.Series(pl.from_arrow(_binary(self.pairs.astype(">u8", order="C"))), dtype=pl.Binary)
        return hyphenated(digits.bin.encode("hex")).to_arrow().cast(pa.string())


class IdCoder:
    """Numbers ids from 0 on, in the order in which they first come.

    Args:
        width: bytes of each.
    """

    def __init__(self, width: int = BYTES) -> None:
        self._known: pa.Array[Any] = pa.array([], pa.binary(width))

    def __len__(self) -> int:
        return len(self._known)

    def codes(self, ids: NDArray[np.void]) -> NDArray[np.uint32]:
        """Return the number of each id ([B] of `width` bytes)."""
        encoded = pc.dictionary_encode(_binary(ids))
        assert isinstance(encoded, pa.DictionaryArray)
        place = pc.index_in(encoded.dictionary, value_set=self._known)
        is_new = place.is_null()
        number: NDArray[np.uint32] = place.fill_null(0).to_numpy().astype(np.uint32)
        new = encoded.dictionary.filter(is_new)
        number[is_new.to_numpy(zero_copy_only=False)] = len(self) + np.arange(len(new))
        self._known = pa.concat_arrays([self._known, new])
        codes: NDArray[np.uint32] = number[encoded.indices.to_numpy()]
        return codes

    def in_order(self) -> tuple[Ids, NDArray[np.uint32]]:
        """Return the distinct ids, of 16 bytes, and the place of each number among them."""
        _, data = self._known.buffers()
        values = b"" if data is None else memoryview(data)[: len(self) * BYTES]
        pairs = np.frombuffer(values, dtype=">u8").reshape(-1, 2).astype(np.uint64)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        place = np.empty(len(order), dtype=np.uint32)
        place[order] = np.arange(len(order), dtype=np.uint32)
        return Ids(pairs[order]), place


def _binary(ids: NDArray[Any]) -> pa.Array[Any]:
    """Bytes that lie behind one another, as arrow's array of ids."""
    data, width = pa.py_buffer(ids.tobytes()), ids.itemsize * math.prod(ids.shape[1:])
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(ids), [None, data])
