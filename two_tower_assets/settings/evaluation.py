"""Table `[evaluation]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from two_tower_assets.settings.fields import Positive, Strict


class EvaluationSettings(Strict):
    """The protocol: a global time split, users frozen at the cut-off, full ranking, decided videos removed."""

    validation_quantile: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Training uses decisions before this quantile of decision times; early stopping watches those after it."""
    test_quantile: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """The test window begins at this quantile of decision times."""
    ks: tuple[Positive, ...] = (10, 50, 200)
    """List lengths at which recall is measured."""
    recent_days: tuple[Positive, ...] = (7, 30)
    """Windows of the recently-popular baselines, in days before the cut-off."""
    fallback_half_lives: tuple[Annotated[float, Field(gt=0)], ...] = (30.0, 7.0, 14.0, 20.0, 60.0)
    """Half-lives in days of the popularity that users without decisions get; one is chosen on the validation window,
    the first where nobody new is in it."""
    per_user_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of each user's decisions, the last ones, that the per-user split asks for."""
    new_video_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the decided videos that the trial of new videos hides."""
    light_decisions: Positive = 10
    """Users with at most so many known decisions are light, the others heavy."""
    max_users: Positive = 20_000
    """A trial with more users asks a fixed sample of so many."""
    resamples: Positive = 1000
    """Bootstrap resamples of the users behind each 95 % interval."""
    seed: int = 0
    """Seed of the fixed draws: users, hidden videos, resamples."""

    @model_validator(mode="after")
    def _ordered(self) -> EvaluationSettings:
        if self.validation_quantile >= self.test_quantile:
            message = "validation_quantile must be smaller than test_quantile"
            raise ValueError(message)
        return self
