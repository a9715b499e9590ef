"""Feature vectors of many rows with the zeros of their bags left out, and their file.

What does not live here: how the values come about (`items`, `users`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from two_tower_assets.errors import FeatureError
from two_tower_assets.features.ragged import ragged_positions
from two_tower_assets.features.sparse_rows import SparseRows

_WIDTH = "width"


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """`user_features` or `item_features` of N rows: dense columns, then bags without their zeros."""

    ids: NDArray[np.str_]
    """[N]: user or video ids."""
    dense: NDArray[np.float32]
    """float32 [N, d]: the first d columns."""
    offsets: NDArray[np.int64]
    """int64 [N + 1]: where each row's entries begin in `columns` and `values`, and the end."""
    columns: NDArray[np.int32]
    """int32 [nnz]: column in the bags, counted from 0 over all of them; ascending and unique within a row."""
    values: NDArray[np.float32]
    """float32 [nnz]: L2-normalised within each bag."""
    width: int
    """d + the widths of all bags: `space.user_dim` or `space.item_dim`."""

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, index: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """Full vectors of the given rows, in the given order: float32 [B, width]."""
        chosen, lengths = self._chosen(index)
        row, position = ragged_positions(self.offsets[chosen], lengths)
        dense_dim = self.dense.shape[1]
        features_BF = np.zeros((len(chosen), self.width), dtype=np.float32)
        features_BF[:, :dense_dim] = self.dense[chosen]
        features_BF.reshape(-1)[row * self.width + dense_dim + self.columns[position]] = self.values[position]
        return features_BF

    def sparse_rows(self, index: NDArray[np.int64] | slice) -> SparseRows:
        """Vectors of the given rows, in the given order, without the zeros of their bags."""
        chosen, lengths = self._chosen(index)
        _, position = ragged_positions(self.offsets[chosen], lengths)
        return SparseRows.of(
            self.dense[chosen],
            lengths,
            self.columns[position],
            self.values[position],
            bags_width=self.width - self.dense.shape[1],
        )

    def _chosen(self, index: NDArray[np.int64] | slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which rows, and how many entries each has."""
        chosen = np.arange(len(self))[index]
        return chosen, self.offsets[chosen + 1] - self.offsets[chosen]

    def save(self, path: Path) -> None:
        """Write a safetensors file; ids become rows of UTF-8 bytes, padded with zeros."""
        encoded = np.char.encode(self.ids, "utf-8")
        tensors = {
            "ids": np.frombuffer(encoded.tobytes(), dtype=np.uint8).reshape(len(self.ids), encoded.itemsize),
            "dense": self.dense,
            "offsets": self.offsets,
            "columns": self.columns,
            "values": self.values,
        }
        save_file(
            {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
            path,
            metadata={_WIDTH: str(self.width)},
        )

    @classmethod
    def load(cls, path: Path) -> FeatureMatrix:
        """Read what `save` wrote.

        Raises:
            FeatureError: the file is missing, cut short or something else.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                tensors = {name: file.get_tensor(name) for name in ("dense", "offsets", "columns", "values")}
                encoded = file.get_tensor("ids")
                width = int(file.metadata()[_WIDTH])
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise FeatureError(
                f"This is not a file of feature vectors: {error}",
                where=str(path),
                remedy="Materialize the features again.",
            ) from None
        ids = np.frombuffer(encoded.tobytes(), dtype=f"S{encoded.shape[1]}")
        return cls(ids=np.char.decode(ids, "utf-8"), width=width, **tensors)


def concatenate(parts: Sequence[FeatureMatrix]) -> FeatureMatrix:
    """Put the rows of matrices of one width behind one another; at least one is needed."""
    entries_before = np.cumsum([0] + [len(part.columns) for part in parts[:-1]])
    return FeatureMatrix(
        ids=np.concatenate([part.ids for part in parts]),
        dense=np.concatenate([part.dense for part in parts]),
        offsets=np.concatenate(
            [[0], *(part.offsets[1:] + before for part, before in zip(parts, entries_before, strict=True))]
        ).astype(np.int64),
        columns=np.concatenate([part.columns for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        width=parts[0].width,
    )
