"""Assignments and drafts that every language must give: `assignment.json` and `team_draft.json`.

Run as a program to write them anew; the files are kept, so that a change of what users were promised is seen.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any, Final

import numpy as np

from two_tower_assets.experiments.assignment import TRAFFIC_SALT, arm_of, point_of
from two_tower_assets.experiments.interleaving import team_draft
from two_tower_assets.home import write_text

FOLDER: Final = Path(__file__).parent
ASSIGNMENT: Final = FOLDER / "assignment.json"
TEAM_DRAFT: Final = FOLDER / "team_draft.json"

_SALTS: Final = (TRAFFIC_SALT, "homepage", "réclame:2", "新しい順")
_WEIGHTS: Final = ((0.5, 0.5), (0.9, 0.1), (0.1, 0.2, 0.3, 0.4), (1 / 3, 1 / 3, 1 / 3))
_USERS: Final = 50
_DRAFTS: Final = 200


def assignments() -> list[dict[str, Any]]:
    """Points and arms of users, for every salt and every set of weights."""
    generator = np.random.default_rng(8)
    users = [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)]
    users += [uuid.UUID(bytes=generator.bytes(16)) for _ in range(_USERS)]
    return [
        {
            "salt": salt,
            "user_id": str(user),
            "point": point_of(salt, user),
            "arms": [
                {"weights": list(weights), "place": arm_of(salt, weights, user)}
                for weights in _WEIGHTS
                if salt != TRAFFIC_SALT
            ],
        }
        for salt in _SALTS
        for user in users
    ]


def drafts() -> list[dict[str, Any]]:
    """Rankings with much, some and nothing in common, and the coins that were thrown."""
    generator = np.random.default_rng(9)
    return [_draft(generator) for _ in range(_DRAFTS)]


def _draft(generator: np.random.Generator) -> dict[str, Any]:
    videos = [f"v{number}" for number in range(int(generator.integers(1, 15)))]
    control, arm = (
        [str(video) for video in generator.permutation(videos)[: generator.integers(0, len(videos) + 1)]]
        for _ in range(2)
    )
    length = int(generator.integers(1, 16))
    coins = [bool(coin) for coin in generator.integers(0, 2, length + 1)]
    left = iter(coins)
    picked = team_draft(control, arm, length, lambda: next(left))
    return {
        "control": control,
        "arm": arm,
        "length": length,
        "arm_first": coins,
        "picked": [[pick.video, pick.team] for pick in picked],
    }


def main() -> None:
    """Write both files, one vector a line."""
    for path, vectors in ((ASSIGNMENT, assignments()), (TEAM_DRAFT, drafts())):
        lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
        write_text(path, f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
