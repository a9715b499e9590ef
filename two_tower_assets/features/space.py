"""What a feature vector is measured in: vocabularies, standard scores and the reference date, as one value.

Everything a client needs besides a payload and a moment. What does not live here: how a space is built from
data (`build`) and how vectors are made in it (`reference` for one payload, `users`, `items` and
`point_in_time` in bulk).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from two_tower_assets.contract import ITEM_NUMERIC, USER_NUMERIC, VIDEO_SEGMENTS
from two_tower_assets.errors import FeatureError


@dataclass(frozen=True)
class Standard:
    """Mean and standard deviation of one numeric feature: its standard score is (x − mean) / std."""

    mean: float
    std: float
    """Never 0: a constant feature has 1."""


@dataclass(frozen=True)
class FeatureSpace:
    """Order, scale and width of user and item feature vectors."""

    tags: tuple[str, ...]
    """Tag vocabulary in index order."""
    performers: tuple[str, ...]
    """Performer vocabulary in index order."""
    user_numeric: Mapping[str, Standard]
    """Scale of each of `contract.USER_NUMERIC`, in that order."""
    item_numeric: Mapping[str, Standard]
    """Scale of each of `contract.ITEM_NUMERIC`, in that order."""
    reference_released_at: datetime | None
    """`recency_days` counts back from here; None when no video has a release date, and every recency is then 0."""
    videos: tuple[str, ...] = ()
    """Ids of the videos with columns of their own, in index order; empty: the optional segments do not exist."""

    def __post_init__(self) -> None:
        for names, standards in ((USER_NUMERIC, self.user_numeric), (ITEM_NUMERIC, self.item_numeric)):
            if tuple(standards) != names:
                raise FeatureError(
                    f"Scales are needed for {', '.join(names)} in this order, not {', '.join(standards)}",
                    remedy="Build the features again.",
                )

    @property
    def item_bags(self) -> dict[str, tuple[str, ...]]:
        """Payload key and vocabulary of each bag of an item, in the order of the columns."""
        return {"tags": self.tags, "performers": self.performers}

    @property
    def user_bags(self) -> dict[str, tuple[str, ...]]:
        """Payload key and vocabulary of each bag of a user, in the order of the columns."""
        optional = dict.fromkeys(VIDEO_SEGMENTS.values(), self.videos) if self.videos else {}
        return self.item_bags | optional

    @property
    def bag_dim(self) -> int:
        """Columns of `tag_vector` and `actress_vector` together."""
        return len(self.tags) + len(self.performers)

    @property
    def user_dense_dim(self) -> int:
        """Columns before the bags of a user: the numerics and `hour_of_day`."""
        return len(USER_NUMERIC) + 1

    @property
    def item_dense_dim(self) -> int:
        """Columns before the bags of an item: the numerics."""
        return len(ITEM_NUMERIC)

    @property
    def user_dim(self) -> int:
        """Width of `user_features`."""
        return self.user_dense_dim + sum(len(vocabulary) for vocabulary in self.user_bags.values())

    @property
    def item_dim(self) -> int:
        """Width of `item_features`."""
        return self.item_dense_dim + self.bag_dim

    def to_json(self) -> str:
        """Write everything as JSON text; equal spaces give equal text."""
        return json.dumps(
            {
                "tags": self.tags,
                "performers": self.performers,
                "user_numeric": {name: vars(standard) for name, standard in self.user_numeric.items()},
                "item_numeric": {name: vars(standard) for name, standard in self.item_numeric.items()},
                "reference_released_at": self.reference_released_at and self.reference_released_at.isoformat(),
                **({"videos": self.videos} if self.videos else {}),
            },
            ensure_ascii=False,
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> FeatureSpace:
        """Read what `to_json` wrote.

        Raises:
            FeatureError: the text is something else.
        """
        try:
            values = json.loads(text)
            reference = values["reference_released_at"]
            return cls(
                tags=tuple(values["tags"]),
                performers=tuple(values["performers"]),
                user_numeric={name: Standard(**pair) for name, pair in values["user_numeric"].items()},
                item_numeric={name: Standard(**pair) for name, pair in values["item_numeric"].items()},
                reference_released_at=reference and datetime.fromisoformat(reference),
                videos=tuple(values.get("videos", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FeatureError(
                f"This is not a feature space: {error!r}", remedy="Build the features again."
            ) from None
