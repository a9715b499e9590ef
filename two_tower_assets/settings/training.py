"""Table `[training]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from two_tower_assets.settings.fields import Positive, Share, Strict
from two_tower_assets.settings.search import Between, OneOf


class TrainingSettings(Strict):
    """How the towers are fitted."""

    seed: int = 0
    """Seed of initial weights, sampling and dropout."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the products in the towers while they are fitted; losses and weights are float32 always. `bfloat16` is what
    cards are fastest at."""
    schedules: Annotated[tuple[Positive, ...], Field(min_length=1), Between(100, 1200, log=True)] = (300, 600)
    """Lengths of the one-cycle schedule in optimiser steps; one is chosen on the validation window. Sparse data are
    learned by heart in the longer one."""
    batch_size: Annotated[int, Field(ge=2), OneOf((256, 512, 1024))] = 512
    """Examples a step; each is a negative for the others."""
    learning_rate: Annotated[float, Field(gt=0), Between(3e-4, 2e-2, log=True)] = 3e-3
    """Peak of the one-cycle schedule (AdamW)."""
    weight_decay: Annotated[float, Field(ge=0), Between(1e-3, 0.3, log=True)] = 0.01
    """AdamW weight decay of matrices; biases and the temperature have none."""
    negatives: Literal["in_batch", "catalogue"] = "catalogue"
    """`in_batch`: the batch's other targets; `catalogue`: uniform draws from the catalogue are added, without which
    nothing is learned of videos that nobody has liked yet."""
    catalogue_negatives: Annotated[Positive, OneOf((128, 256, 512, 1024))] = 512
    """Draws a step when `negatives` is `catalogue`."""
    logq: Annotated[bool, OneOf((True, False))] = True
    """Subtract the log of its inclusion probability from each negative's score."""
    mask_known: bool = True
    """Hide from each row the videos that its user liked at any time or had decided on."""
    user_power: Annotated[float, Field(ge=0, le=1), Between(0.0, 1.0)] = 0.5
    """Users are drawn by their LIKEs to this power: 1 gives every LIKE the same chance, 0 every user."""
    initial_temperature: Annotated[float, Field(gt=0), Between(0.03, 0.2, log=True)] = 0.07
    """Start of the learned softmax temperature."""
    nope_weight: Annotated[float, Field(ge=0)] = 0.0
    """What each of a user's own later NOPEs weighs more in the softmax than another video, which weighs 1; 0 leaves
    the NOPEs to the taste head."""
    taste_loss: Annotated[float, Field(ge=0)] = 1.0
    """Weight of the loss that tells LIKEs from NOPEs; 0 switches the taste head off."""
    taste_weights: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """How often the log-odds of a LIKE are added to the log-probability of retrieval: points of the trade-off curve,
    one of which is chosen on the validation window."""
    largest_taste_weight: Annotated[float, Field(ge=0)] = 0.25
    """No larger one is chosen: a validation window of few users cannot tell its cost, which grows fast."""
    popularity_weights: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.1, 0.25, 0.5, 1.0)
    """How often log fading popularity may be added to the log-probability of retrieval; one is chosen on the
    validation window."""
    popularity_slack: Share = 0.02
    """The smallest weight within this share of the best NDCG@10 + recall@200 is taken, since popularity costs
    coverage."""
    taste_cost: Share = 0.03
    """Largest share of validation NDCG@10 that the chosen weight may cost."""
    future_share: Annotated[Share, Between(0.0, 1.0)] = 0.5
    """Share of steps whose target is a random later LIKE rather than the next one."""
    half_life_days: Annotated[float, Field(gt=0), Between(30.0, 3000.0, log=True)] = 365.0
    """Age at which a LIKE is drawn half as often as a new one."""
    validate_every: Positive = 100
    """Steps between two measurements on the validation window (recall@200 + NDCG@10), for the curves."""
