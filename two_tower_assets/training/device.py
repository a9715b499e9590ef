"""Where a fit computes: the machine's processors, or its graphics card."""

from __future__ import annotations

import torch

from two_tower_assets.errors import EngineError
from two_tower_assets.settings import DeviceName


def device_of(wanted: DeviceName) -> torch.device:
    """Return the device that a setting names.

    Args:
        wanted: `auto` is the card where torch sees one, and else the processors.

    Raises:
        EngineError: the card is wanted and there is none.
    """
    has_card = torch.cuda.is_available()
    if wanted == "cuda" and not has_card:
        raise EngineError(
            "Fits cannot run on CUDA: torch sees no card",
            where="resources.device",
            remedy='Install a build of torch with CUDA and a driver for it, or set device = "auto".',
        )
    return torch.device("cpu" if wanted == "cpu" or not has_card else "cuda")
