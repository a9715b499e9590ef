"""Two arms, equal or not: false alarms, power, what CUPED leaves, and arms of sizes that were not planned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.experiments.lift import Lift, lift, variance_share
from two_tower_assets.experiments.moments import Moments, Numbers
from two_tower_assets.experiments.power import detectable, power_of
from two_tower_assets.experiments.sample_ratio import ALARM, mismatch
from two_tower_assets.experiments.simulation.answer import Answer, rate
from two_tower_assets.experiments.simulation.worlds import LikesWorld, World

CONFIDENCE: Final = 0.95

_POWER_MARGIN: Final = 0.02
_BLOCK: Final = 100
"""Experiments drawn at once: some tens of megabytes of people."""


def two_arms(experiments: int, real: World | None) -> Iterator[Answer]:
    """Put every question of A/B tests.

    Args:
        experiments: of each question.
        real: real people, if there are any at hand.
    """
    plain = LikesWorld()
    yield from false_alarms(plain, "people who like at rates of their own", experiments)
    if real is not None:
        yield from false_alarms(real, "real people", experiments)
    yield from _powers(plain, experiments)
    yield _cuped(plain, experiments)
    yield from _ratios(plain, experiments)


def false_alarms(world: World, who: str, experiments: int) -> Iterator[Answer]:
    """Deal people into two equal arms: how often that is called a difference, at the last look and at any.

    Args:
        world: where from.
        who: they are, in words.
        experiments: of each question.
    """
    looks = _looks(world, experiments, seed=1)
    fixed = _excludes_zero(*looks.fixed(CONFIDENCE))
    planned = float(looks.users[:, -1].mean())
    always = _excludes_zero(*looks.always_valid(planned, CONFIDENCE))
    yield rate(f"equal arms, {who}: false alarms at one planned look", "5 % ± 1", fixed[:, -1], 0.04, 0.06)
    yield rate(
        f"equal arms, {who}: false alarms, looked at every day", "at most 6 %", np.any(always, axis=1), 0, 0.06
    )
    yield rate(
        f"equal arms, {who}: false alarms if the planned look's interval is looked at every day",
        "more than 10 %: why it is not shown",
        np.any(fixed, axis=1),
        0.1,
        1,
    )


def _powers(world: LikesWorld, experiments: int) -> Iterator[Answer]:
    """A difference as large as is promised to be seen."""
    for always_valid, how in ((False, "one planned look"), (True, "looked at every day")):
        difference = detectable(world.users, world.deviation, confidence=CONFIDENCE, always_valid=always_valid)
        truth = world.with_effect(difference)
        # More likes vary more, so that the promise is a little smaller than what it was planned by.
        promised = power_of(
            difference, truth.users, truth.deviation, confidence=CONFIDENCE, always_valid=always_valid
        )
        looks = _looks(truth, experiments, seed=2)
        low, high = looks.always_valid(world.users, CONFIDENCE) if always_valid else looks.fixed(CONFIDENCE)
        what, text = f"a true {truth.effect:+.1%}, {how}", f"{promised:.1%} ± {100 * _POWER_MARGIN:.0f}"
        seen = low[:, -1] > 0
        yield rate(f"{what}: seen at the end", text, seen, promised - _POWER_MARGIN, promised + _POWER_MARGIN)
        if always_valid:
            covered = np.all((low <= difference) & (difference <= high), axis=1)
            yield rate(f"{what}: the truth within the bounds at every look", "at least 94 %", covered, 0.94, 1)


def _cuped(world: LikesWorld, experiments: int) -> Answer:
    """What CUPED leaves of the variance of the difference, against 1 − ρ²."""
    control, arm = _ends(world, experiments, seed=3)
    theory = 1 - world.correlation**2
    found = variance_share(control, arm)
    error = float(found.std(ddof=1)) / math.sqrt(len(found))
    between = float(lift(control, arm).difference.var() / lift(control, arm, cuped=False).difference.var())
    # The variance between experiments has a relative error of about √(2 / N) on each side of the share.
    near = abs(between / theory - 1) < 4 * math.sqrt(2 / experiments)
    return Answer(
        "what CUPED leaves of the variance",
        f"1 − ρ² = {theory:.3f}, and so between experiments ({between:.3f})",
        float(found.mean()),
        error,
        held=near and abs(float(found.mean()) - theory) < max(0.01, 4 * error),
    )


def _ratios(world: LikesWorld, experiments: int) -> Iterator[Answer]:
    """The alarm over arms of other sizes than planned, looked at every day."""
    sound = _alarms(world, experiments, seed=4)
    yield rate("a sound assignment: alarms, looked at every day", f"at most {ALARM:.1%}", sound, 0, ALARM)
    broken = LikesWorld(users_a_day=2500, lost=0.05)
    what = f"{broken.lost:.0%} of an arm's people are not logged, {broken.users:,.0f} people: alarms"
    yield rate(what, "at least 95 %", _alarms(broken, max(experiments // 20, 10), seed=5), 0.95, 1)


def _alarms(world: LikesWorld, experiments: int, seed: int) -> NDArray[np.bool_]:
    control, arm = _runs(world, experiments, seed)
    return np.array(
        [
            min(mismatch((int(a), int(b)), (0.5, 0.5)) for a, b in zip(*looks, strict=True)) <= ALARM
            for looks in zip(control.running().users, arm.running().users, strict=True)
        ]
    )


def _looks(world: World, experiments: int, seed: int) -> Lift:
    """What is known at each day's end, [N, D]."""
    control, arm = _runs(world, experiments, seed)
    return lift(control.running(), arm.running())


def _ends(world: World, experiments: int, seed: int) -> tuple[Moments, Moments]:
    control, arm = _runs(world, experiments, seed)
    return control.running().at(-1), arm.running().at(-1)


def _runs(world: World, experiments: int, seed: int) -> tuple[Moments, Moments]:
    random = np.random.default_rng(seed)
    sizes = [_BLOCK] * (experiments // _BLOCK) + [experiments % _BLOCK]
    blocks = [world.run(size, random) for size in sizes if size]
    control, arm = (Moments.joined(side) for side in zip(*blocks, strict=True))
    return control, arm


def _excludes_zero(low: Numbers, high: Numbers) -> NDArray[np.bool_]:
    return np.asarray((low > 0) | (high < 0))
