"""Dropout whose draws cost little: torch draws one number an element, one after another, while all cores wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

_DRAWS: Final = 2**16
"""What a draw of 16 bits can be; four of them come out of one number of torch's generator."""
_DRAWS_A_NUMBER: Final = 4


_GENERATOR: Final[ContextVar[torch.Generator | None]] = ContextVar("generator", default=None)


@contextmanager
def drawing_from(generator: torch.Generator) -> Iterator[None]:
    """Let what a model draws in this thread meanwhile come from a generator, and not from torch's own."""
    before = _GENERATOR.set(generator)
    try:
        yield
    finally:
        _GENERATOR.reset(before)


def seed_of(*parts: int) -> int:
    """Return a generator's seed of its own for each combination of numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


def generator_of_draws() -> torch.Generator | None:
    """Return what to draw from; None: torch's own."""
    return _GENERATOR.get()


class Dropout(nn.Module):
    """Zero elements at random while training and scale the others up, so that the mean stays.

    Srivastava et al., "Dropout" (JMLR 2014), in its inverted form.

    Args:
        share: of the elements that are zeroed, in [0, 1); taken to the nearest multiple of 2⁻¹⁶.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self._dropped = round(share * _DRAWS)
        self._scale = _DRAWS / (_DRAWS - self._dropped)

    def forward(self, x: Tensor) -> Tensor:
        """Return float32 of the same shape."""
        if not self.training or not self._dropped:
            return x
        numbers = torch.empty(-(-x.numel() // _DRAWS_A_NUMBER), dtype=torch.int64, device=x.device)
        # Its whole range: left to itself, the generator draws no sign.
        numbers.random_(torch.iinfo(torch.int64).min, None, generator=generator_of_draws())
        draws = numbers.view(torch.int16)[: x.numel()].view(x.shape)
        # As numbers, not as truth values, which torch compares and multiplies one by one.
        kept = draws.to(torch.float32).ge_(self._dropped - _DRAWS // 2).mul_(self._scale)
        return x * kept
