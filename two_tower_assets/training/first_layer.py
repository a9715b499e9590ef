"""The first layer of a head while it is fitted: numerics and bags of words times its weights.

Most of a step's operations are here, so both ways are written out. Bags need no gradient, which would take a third
of a step; that of the weights is written where it stays, numerics and bags side by side; and bags without their zeros
are sums of the weights that are there (`bags`).

Letters in tensor names: B rows, N numerics, T columns of the bags, F both, H numbers that come out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from two_tower_assets.training.bags import SparseFeatures


def first_layer(numeric_BN: Tensor, bags: Tensor | SparseFeatures, weight_HF: Tensor, bias_H: Tensor) -> Tensor:
    """Return float32 [B, H], what `linear` gives of numerics and bags side by side.

    Args:
        numeric_BN: float32; the gradient goes back to them.
        bags: float32 [B, T], or the rows that hold them without zeros; they get no gradient.
        weight_HF: of the numerics, then of the bags.
        bias_H: float32.
    """
    out_BH: Tensor = _FirstLayer.apply(numeric_BN, bags, weight_HF, bias_H)  # type: ignore[no-untyped-call]
    return out_BH


class _FirstLayer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, numeric_BN: Tensor, bags: Tensor | SparseFeatures, weight_HF: Tensor, bias_H: Tensor
    ) -> Tensor:
        ctx.bags = bags
        width = numeric_BN.shape[1]
        # Side by side in memory: a product with a few columns that are far apart takes several times as long.
        of_numeric_NH, of_bags_HT = weight_HF[:, :width].t().contiguous(), weight_HF[:, width:]
        ctx.save_for_backward(numeric_BN, of_numeric_NH, weight_HF)
        of_numeric_BH = torch.addmm(bias_H, numeric_BN, of_numeric_NH)
        if isinstance(bags, Tensor):
            return of_numeric_BH.add_(linear(bags, of_bags_HT))
        return of_numeric_BH.add_(bags.by_row.times(of_bags_HT.t().contiguous()))

    @staticmethod
    def backward(ctx: Any, gradient_BH: Tensor) -> tuple[Tensor, None, Tensor, Tensor]:
        numeric_BN, of_numeric_NH, weight_HF = ctx.saved_tensors
        gradient_BH = gradient_BH.contiguous()
        gradient_HF = torch.empty_like(weight_HF)
        width = numeric_BN.shape[1]
        gradient_HF[:, :width] = (_like(gradient_BH, numeric_BN.t()) @ gradient_BH).t()
        if not isinstance(ctx.bags, Tensor):
            gradient_HF[:, width:] = ctx.bags.by_column.times(_like(weight_HF, gradient_BH)).t()
        elif gradient_BH.dtype == weight_HF.dtype:
            torch.mm(gradient_BH.t(), ctx.bags, out=gradient_HF[:, width:])
        else:
            gradient_HF[:, width:] = gradient_BH.t() @ _like(gradient_BH, ctx.bags)
        gradient_BN = linear(gradient_BH, _like(gradient_BH, of_numeric_NH))
        return gradient_BN, None, gradient_HF, gradient_BH.sum(dim=0)


def _like(precise: Tensor, other: Tensor) -> Tensor:
    """Bring to the precision of another; under autocast gradients come in half the bits."""
    return other.to(precise.dtype)
