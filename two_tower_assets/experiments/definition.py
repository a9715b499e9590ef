"""What an experiment compares: its arms, each a release and settings of the list, and what it is judged by.

Everything that can be refused without a database is refused here. What does not live here: who is in which arm
(`assignment`), and what runs (`registry`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.assignment import TRAFFIC_SALT
from two_tower_assets.experiments.sequences import FEWEST_USERS

Kind = Literal["arms", "interleaving"]
UserMetric = Literal["like_rate", "likes_per_user", "decisions_per_user"]
PrimaryMetric = Literal[UserMetric, "preference"]
Guardrail = Literal[UserMetric, "coverage", "maker_concentration"]

LIVE: Final = "live"
"""How people name whatever is live as an arm's version."""
INTERLEAVED: Final = "interleaved"
"""The arm that lists of an interleaving are logged under."""
_WEIGHT_TOLERANCE: Final = 1e-9


class _Strict(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=(), use_attribute_docstrings=True
    )


class RerankChanges(_Strict):
    """Weights of the score that an arm has otherwise than its release; the names are `settings.RerankSettings`'."""

    similarity_weight: Annotated[float | None, Field(gt=0)] = None
    recency_weight: Annotated[float | None, Field(ge=0)] = None
    recency_days: Annotated[float | None, Field(gt=0)] = None
    future_release: float | None = None
    free: float | None = None
    cheap: float | None = None
    cheap_below: float | None = None
    dear: float | None = None
    dear_above: float | None = None
    strength: Annotated[float | None, Field(ge=0, le=1)] = None
    """Share of the recency and price terms that counts."""


class RankingChanges(_Strict):
    """Settings of the list that an arm has otherwise than the deployment and its release."""

    candidates: Annotated[int | None, Field(ge=1, le=500)] = None
    diversity_lambda: Annotated[float | None, Field(ge=0, le=1)] = None
    explore_share: Annotated[float | None, Field(ge=0, le=0.5)] = None
    rerank: RerankChanges | None = None

    def named(self) -> dict[str, Any]:
        """Return those that are named, as the column `ranking` keeps them."""
        return self.model_dump(exclude_none=True)


class Arm(_Strict):
    """One arm."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    weight: Annotated[float, Field(gt=0, le=1)]
    """Share of the experiment's users."""
    model_version: str | None = None
    """None: whatever is live."""
    ranking: RankingChanges = RankingChanges()


class Experiment(_Strict):
    """What is compared."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    kind: Kind = "arms"
    salt: Annotated[str, Field(min_length=1, max_length=200)]
    """Of the assignment to arms; another one shuffles the users anew."""
    arms: tuple[Arm, ...]
    """The control first."""
    primary_metric: PrimaryMetric
    guardrails: tuple[Guardrail, ...] = ()
    attribution_hours: Annotated[int, Field(ge=1, le=720)] = 24
    before_days: Annotated[int, Field(ge=0, le=365)] = 28
    planned_users: Annotated[int, Field(ge=FEWEST_USERS)]
    """In all arms together; must not depend on what is seen on the way."""

    @model_validator(mode="after")
    def _can_be_compared(self) -> Self:
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        names = [arm.name for arm in self.arms]
        if len(names) < 2:
            yield "there are fewer than two arms, and nothing to compare"
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield f"two arms are called {', '.join(twice)}"
        if INTERLEAVED in names:
            yield f"no arm may be called {INTERLEAVED}"
        total = math.fsum(arm.weight for arm in self.arms)
        if self.arms and abs(total - 1) > _WEIGHT_TOLERANCE:
            weights = " + ".join(f"{arm.weight:g}" for arm in self.arms)
            yield f"the weights sum to {total:g} and not to 1 ({weights})"
        if self.salt == TRAFFIC_SALT:
            yield f"the salt {TRAFFIC_SALT} decides who is in an experiment at all"
        if (self.kind == "interleaving") != (self.primary_metric == "preference"):
            yield "the metric preference belongs to an interleaving, and an interleaving to it"
        if self.kind == "interleaving":
            yield from self._problems_of_interleaving()

    def _problems_of_interleaving(self) -> Iterator[str]:
        if len(self.arms) > 2:
            yield "an interleaving has two arms"
        if len({arm.weight for arm in self.arms}) > 1:
            yield "the arms of an interleaving have the same weight, since all its users see both"
        if any(arm.ranking.explore_share for arm in self.arms):
            yield "an interleaved list explores nothing, for a place that is given away would be nobody's pick"


def define(**values: Any) -> Experiment:
    """Check what somebody wants to compare; values as of `Experiment`.

    Raises:
        ExperimentError: it cannot be compared; all that is wrong is named.
    """
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise ExperimentError(
            f"The experiment is refused: {'; '.join(_explained(error))}",
            where=str(values.get("name")),
            remedy="Nothing was written. Correct what is named and create it again.",
        ) from None


def define_ranking(values: Mapping[str, Any]) -> RankingChanges:
    """Check settings of the list that somebody wants otherwise; values as of `RankingChanges`.

    Raises:
        ExperimentError: a name is unknown or a value out of its range; all that is wrong is named.
    """
    try:
        return RankingChanges.model_validate(values)
    except ValidationError as error:
        raise ExperimentError(
            f"The ranking is refused: {'; '.join(_explained(error))}",
            where="--ranking",
            remedy="Name settings such as diversity_lambda, explore_share, candidates, rerank.recency_weight.",
        ) from None


def _explained(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        yield f"{where} = {problem['input']!r}: {message}" if where else message
