"""The best points and the current settings by several seeds, other ones than the search's.

The best of many measurements is partly lucky, and another seed has none of that luck.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

from two_tower_assets.errors import TuningError
from two_tower_assets.settings import Settings
from two_tower_assets.tuning.crew import Answer, Crew, WorkerDied
from two_tower_assets.tuning.measure import METRIC
from two_tower_assets.tuning.records import Finalist, TrialRecord
from two_tower_assets.tuning.search import Say
from two_tower_assets.tuning.space import Dimension
from two_tower_assets.tuning.study import ATTEMPTS, Study


@dataclass(frozen=True)
class Finals:
    """Measures finalists; what a study keeps is not measured again."""

    study: Study
    crew: Crew
    space: tuple[Dimension, ...]
    settings: Settings
    """The current ones."""
    say: Say

    def run(self, candidates: dict[int | None, Settings]) -> tuple[Finalist, ...]:
        """Fit each by every seed and return them, the best mean first; of equals the current settings.

        Args:
            candidates: settings by trial; None: the current ones.

        Raises:
            TuningError: a fit can't be finished.
        """
        self.say(f"finals: {len(candidates)} settings by {self.settings.tuning.seeds} seeds each")
        waiting = {
            (trial, seed): self._submitted(settings, seed)
            for trial, settings in candidates.items()
            for seed in self._seeds()
        }
        values = {key: self._value(*key, candidates[key[0]], future, attempt=1) for key, future in waiting.items()}
        found = [
            Finalist(trial=trial, values=tuple(values[trial, seed] for seed in self._seeds())) for trial in candidates
        ]
        return tuple(sorted(found, key=lambda finalist: (-finalist.mean, finalist.trial is not None)))

    def _seeds(self) -> range:
        first = self.settings.training.seed + 1
        return range(first, first + self.settings.tuning.seeds)

    def _submitted(self, settings: Settings, seed: int) -> Future[Answer] | None:
        if self.study.kept(_key(settings, seed)) is not None:
            return None
        return self.crew.submit(with_seed(settings, seed), lambda *_: True)

    def _value(
        self, trial: int | None, seed: int, settings: Settings, future: Future[Answer] | None, *, attempt: int
    ) -> float:
        key = _key(settings, seed)
        if future is None:
            return float(self.study.kept(key))
        try:
            answer = future.result()
        except WorkerDied as death:
            if attempt == ATTEMPTS:
                raise _unfinished(trial, str(death)) from None
            again = self.crew.submit(with_seed(settings, seed), lambda *_: True)
            return self._value(trial, seed, settings, again, attempt=attempt + 1)
        if answer.value is None:
            raise _unfinished(trial, answer.refused or "")
        self.study.keep(key, answer.value)
        self.say(f"finals: {name_of(trial)}, seed {seed}: {METRIC} {answer.value:.4f}")
        return answer.value


def best_of(trials: tuple[TrialRecord, ...], most: int) -> list[TrialRecord]:
    """The complete trials of the largest values, no two of one point.

    Raises:
        TuningError: none is complete.
    """
    complete = [trial for trial in trials if trial.value is not None]
    if not complete:
        notes = sorted({trial.note for trial in trials if trial.note})
        raise TuningError(
            "No trial could be completed" + (f": {'; '.join(notes)}" if notes else ""),
            where="tuning",
            remedy="Give it more trials or minutes; `two-tower evaluate` says whether the current settings fit.",
        )
    different = {repr(sorted(trial.point.items())): trial for trial in reversed(complete)}
    return sorted(different.values(), key=lambda trial: (-(trial.value or 0.0), trial.number))[:most]


def with_seed(settings: Settings, seed: int) -> Settings:
    """The same settings, fitted by another seed."""
    return settings.model_copy(update={"training": settings.training.model_copy(update={"seed": seed})})


def name_of(trial: int | None) -> str:
    """What people call a finalist."""
    return "the current settings" if trial is None else f"trial {trial}"


def _key(settings: Settings, seed: int) -> str:
    return f"finals {settings.digest('model', 'training')[:16]} {seed}"


def _unfinished(trial: int | None, why: str) -> TuningError:
    return TuningError(
        f"A final fit of {name_of(trial)} can't be finished: {why}",
        where="tuning",
        remedy="Run the command again; what was measured is kept.",
    )
