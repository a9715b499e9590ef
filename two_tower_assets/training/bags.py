"""Bags of words times the weights of a first layer, without the bags' zeros.

A video has a dozen of 768 tags and performers. As a dense product its first layer is half the operations of a step;
as sums of the weights of what is there it is bound by reading them, forwards and backwards. What does not live here:
users (`towers`), whose bags may hold a quarter of the words: from there on the dense product takes no longer.

Letters in tensor names: B rows, N dense columns, T columns of the bags, H numbers that come out, A all layers' H.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from two_tower_assets.features.sparse_rows import Entries, SparseRows


@dataclass(frozen=True, eq=False)
class SparseFeatures:
    """Rows of features on the device of a model."""

    dense_BN: Tensor
    by_row: SparseBags
    by_column: SparseBags

    @classmethod
    def of(cls, rows: SparseRows, device: torch.device) -> SparseFeatures:
        """Bring rows to a device."""
        return cls(
            torch.from_numpy(rows.dense_BN).to(device),
            SparseBags.of(rows.by_row, device),
            SparseBags.of(rows.by_column, device),
        )


@dataclass(frozen=True, eq=False)
class SparseBags:
    """Entries list by list, as `Entries`."""

    index_K: Tensor
    value_K: Tensor
    begin: Tensor

    @classmethod
    def of(cls, entries: Entries, device: torch.device) -> SparseBags:
        """Bring entries to a device."""
        arrays = (entries.index_K, entries.value_K, entries.begin)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))

    def times(self, table: Tensor) -> Tensor:
        """Sum, for each list, the rows of a table that it names, each times its value: float32 [lists, width]."""
        return embedding_bag(self.index_K, table, self.begin, mode="sum", per_sample_weights=self.value_K)


def bags_times(features: SparseFeatures, weights: Sequence[Tensor]) -> list[Tensor]:
    """Multiply the bags of B rows with the weights of several layers at once.

    Args:
        features: the rows.
        weights: float32 [H, T] of each layer; the gradient goes back to them.

    Returns:
        float32 [B, H] for each layer, what its bags add to its output.
    """
    out_BA: Tensor = _BagsTimes.apply(features, *weights)  # type: ignore[no-untyped-call]
    return list(torch.split(out_BA, [len(weight) for weight in weights], dim=1))


class _BagsTimes(torch.autograd.Function):
    """Both ways a sum of rows that lie side by side in memory: of weights by row, of gradients by column."""

    @staticmethod
    def forward(ctx: Any, features: SparseFeatures, *weights_HT: Tensor) -> Tensor:
        ctx.features, ctx.sizes = features, [len(weight) for weight in weights_HT]
        return features.by_row.times(torch.cat(weights_HT).t().contiguous())

    @staticmethod
    def backward(ctx: Any, gradient_BA: Tensor) -> tuple[Tensor | None, ...]:
        gradient_TA = ctx.features.by_column.times(gradient_BA.contiguous())
        return None, *gradient_TA.t().split(ctx.sizes)
