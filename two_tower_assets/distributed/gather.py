"""Rows of all workers on each of them, with the gradient going back to where each row came from.

Letters in tensor names: M all rows, D their width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def gather_rows(own: Tensor, lengths: Sequence[int]) -> Tensor:
    """Return the rows of all workers, [M, D], in the order of their ranks.

    Args:
        own: this worker's.
        lengths: how many each worker has.
    """
    gathered: Tensor = _Gather.apply(own, tuple(lengths))  # type: ignore[no-untyped-call]
    return gathered


class _Gather(torch.autograd.Function):
    """Gather forwards; backwards, the gradients of all workers for this worker's rows are added up."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, lengths: tuple[int, ...]) -> Tensor:
        ctx.lengths = lengths
        # Collectives want equal shapes.
        padded = own.new_zeros((max(lengths), own.shape[1]))
        padded[: len(own)] = own
        found = [torch.empty_like(padded) for _ in lengths]
        dist.all_gather(found, padded)
        return torch.cat([rows[:length] for rows, length in zip(found, lengths, strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient_MD: Tensor) -> tuple[Tensor, None]:
        # Gloo reduces to all and not to one slice each.
        summed_MD = gradient_MD.contiguous().clone()
        dist.all_reduce(summed_MD)
        rank = dist.get_rank()
        first = sum(ctx.lengths[:rank])
        return summed_MD[first : first + ctx.lengths[rank]], None
