"""What is minimised: a sampled softmax over candidate videos for retrieval, and LIKE before NOPE for taste.

Letters in tensor names: B batch rows, D embedding, U candidate videos, M encoded videos (the candidates first, then
videos that are only NOPEs of some row).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Candidates:
    """Who competes with each row's target.

    Every candidate stands once however often it was drawn, so no row meets its own target a second time.
    """

    target_B: Tensor
    """int64: column of the row's target, below U."""
    log_inclusion_U: Tensor
    """float32: log of the probability that the candidate is there, whatever the row; zeros switch logQ off."""
    hidden: Tensor
    """int64: flat positions (row · U + column) of candidates that the row must not learn from, never the target."""
    nope_B: Tensor
    """int64: encoded video that the row's user NOPEd after the state; any valid number where there is none."""
    has_nope_B: Tensor
    """bool: whether there is one."""
    log_nope_weight_B: Tensor
    """float32: log of the weight of that video in the softmax, −∞ where there is none."""


def sampled_softmax_loss(user_BD: Tensor, item_MD: Tensor, log_temperature: Tensor, candidates: Candidates) -> Tensor:
    """Mean over rows of log Ẑ − s_target, a scalar.

    With s = cosine / temperature, Ẑ = e^{s_target} + Σ_{v ≠ target} e^{s_v} / π_v + w e^{s_nope} over the candidates
    that are not hidden, π_v the inclusion probability. E[Ẑ] is the partition function of the full softmax
    (Horvitz–Thompson), so its gradient approaches the full one's as the batch grows. The correction is that of
    Yi et al., "Sampling-bias-corrected neural modeling for large corpus item recommendations" (RecSys 2019); the
    target itself is there with certainty and therefore not corrected.
    """
    scaled_BD = user_BD * torch.exp(-log_temperature)
    loss_B: Tensor = _SampledSoftmax.apply(scaled_BD, item_MD, candidates)  # type: ignore[no-untyped-call]
    return _add_nopes(loss_B, scaled_BD, item_MD, candidates).mean()


def taste_loss(user_BD: Tensor, item_MD: Tensor, log_scale: Tensor, candidates: Candidates) -> Tensor:
    """Mean of −log σ(a · (cosine of the LIKE − cosine of a NOPE)) over the rows that have one; 0 without any.

    Both are videos that the same user decided on after the state, so what is learned is the decision and not who is
    shown what. Pairwise logistic loss: Rendle et al., "BPR" (UAI 2009), section 4.1, with observed negatives.
    """
    if not candidates.has_nope_B.any():
        return user_BD.new_zeros(())
    difference_BD = item_MD.index_select(0, candidates.target_B) - item_MD.index_select(0, candidates.nope_B)
    margin_B = torch.exp(log_scale) * (user_BD * difference_BD).sum(dim=1)
    return nn.functional.softplus(-margin_B[candidates.has_nope_B]).mean()


class _SampledSoftmax(torch.autograd.Function):
    """log Σ_v e^{logit_v} − s_target of each row, float32 [B].

    One buffer of [B, U] forward and one backward; composed of torch's functions, each of which makes its own, it
    takes a third longer.
    """

    @staticmethod
    def forward(ctx: Any, scaled_BD: Tensor, item_MD: Tensor, candidates: Candidates) -> Tensor:
        log_inclusion_U, target_B = candidates.log_inclusion_U, candidates.target_B
        width = len(log_inclusion_U)
        logit_BU = torch.mm(scaled_BD, item_MD[:width].T).sub_(log_inclusion_U)
        flat = logit_BU.view(-1)
        flat.index_fill_(0, candidates.hidden, -torch.inf)
        at_B = torch.arange(0, len(flat), width, device=flat.device) + target_B
        target_logit_B = flat[at_B] + log_inclusion_U[target_B]
        flat.index_copy_(0, at_B, target_logit_B)
        largest_B = logit_BU.amax(dim=1)
        weight_BU = logit_BU.sub_(largest_B[:, None]).exp_()
        total_B = weight_BU.sum(dim=1)
        ctx.save_for_backward(scaled_BD, item_MD, weight_BU, total_B, at_B)
        return torch.log(total_B) + largest_B - target_logit_B

    @staticmethod
    def backward(ctx: Any, gradient_B: Tensor) -> tuple[Tensor, Tensor, None]:
        scaled_BD, item_MD, weight_BU, total_B, at_B = ctx.saved_tensors
        gradient_BU = weight_BU * (gradient_B / total_B)[:, None]
        gradient_BU.view(-1).index_add_(0, at_B, -gradient_B)
        width = gradient_BU.shape[1]
        gradient_MD = torch.zeros_like(item_MD)
        torch.mm(gradient_BU.T, scaled_BD, out=gradient_MD[:width])
        return gradient_BU @ item_MD[:width], gradient_MD, None


def _add_nopes(loss_B: Tensor, scaled_BD: Tensor, item_MD: Tensor, candidates: Candidates) -> Tensor:
    """Add the NOPEs to the partition function: log(e^{log Ẑ − s_target} + w e^{s_nope − s_target})."""
    if not torch.isfinite(candidates.log_nope_weight_B).any():
        return loss_B
    # Not item_MD[…]: the gradient of that is added up by threads in any order, and a fit would not repeat.
    difference_BD = item_MD.index_select(0, candidates.nope_B) - item_MD.index_select(0, candidates.target_B)
    margin_B = (scaled_BD * difference_BD).sum(dim=1)
    return torch.logaddexp(loss_B, margin_B + candidates.log_nope_weight_B)
