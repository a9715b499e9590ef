"""The settings that make a model what it is: kept with each release, so that a champion can be fitted again.

Its shipped weights are never scored on decisions that they have seen; its recipe is fitted before the same window.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from two_tower_assets.errors import EvaluationError
from two_tower_assets.settings import FeatureSettings, ModelSettings, Settings, TrainingSettings


class Recipe(BaseModel):
    """Features, towers and training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: FeatureSettings
    model: ModelSettings
    training: TrainingSettings

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The part of the settings that makes the model."""
        return cls(features=settings.features, model=settings.model, training=settings.training)

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Self:
        """Read a recipe that an earlier version may have written: settings it does not know take their defaults.

        Raises:
            EvaluationError: it is no recipe, or sets something that no longer exists.
        """
        try:
            return cls.model_validate(kept)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in problem["loc"])
            raise EvaluationError(
                f"The live release was made by a recipe that this version cannot follow: {place}: {problem['msg']}",
                where="public.model_releases",
                remedy='Compare by hand (`two-tower evaluate`), then release with gate.champion = "ignore".',
            ) from None

    def over(self, settings: Settings) -> Settings:
        """Put this recipe into other settings, which say how it is evaluated."""
        return settings.model_copy(update={name: getattr(self, name) for name in type(self).model_fields})
