"""Who is in an experiment, and in which arm: a hash of salt and user; nothing is stored, and nobody changes arms.

SQL (`two_tower.experiment_point`, `two_tower.experiment_arm`) and the Edge Functions compute the same to the bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final
from uuid import UUID

TRAFFIC_SALT: Final = "traffic"
"""One layer for all experiments: slices of it that don't overlap share no user."""
_BITS: Final = 52
_POINTS: Final = 1 << _BITS


def point_of(salt: str, user_id: UUID) -> float:
    """Return where a salt puts a user in [0, 1): the first 52 bits of a SHA-256, exact in a float64."""
    digest = hashlib.sha256(f"{salt}:{user_id}".encode()).digest()
    return (int.from_bytes(digest[:7], "big") >> (56 - _BITS)) / _POINTS


def is_in(traffic: tuple[float, float], user_id: UUID) -> bool:
    """Whether a user is in a slice of [0, 1) of all users, without its upper bound."""
    return traffic[0] <= point_of(TRAFFIC_SALT, user_id) < traffic[1]


def arm_of(salt: str, weights: Sequence[float], user_id: UUID) -> int:
    """Return the place of a user's arm.

    Args:
        salt: of the experiment.
        weights: of its arms by place, above 0, together 1.
        user_id: of a user who is in it.
    """
    point, total = point_of(salt, user_id), 0.0
    for place, weight in enumerate(weights):
        total += weight
        if point < total:
            return place
    return len(weights) - 1
