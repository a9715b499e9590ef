"""The best points and the current settings by several seeds, other ones than the search's.

The best of many measurements is partly lucky, and another seed has none of that luck.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

from two_tower_assets.errors import TuningError
from two_tower_assets.evaluation.page.formats import counted
from two_tower_assets.settings import Settings
from two_tower_assets.tuning.crew import Answer, Crew, WorkerDied
from two_tower_assets.tuning.measure import METRIC
from two_tower_assets.tuning.records import Finalist, TrialRecord
from two_tower_assets.tuning.search import Say
from two_tower_assets.tuning.space import Dimension
from two_tower_assets.tuning.study import ATTEMPTS, Study


@dataclass(frozen=True)
class _Fit:
    """One of the finals' fits."""

    trial: int | None
    seed: int
    settings: Settings

    @property
    def key(self) -> str:
        """Under which its value is kept."""
        return f"finals {self.settings.digest('model', 'training')[:16]} {self.seed}"


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
        fits = [_Fit(trial, seed, settings) for trial, settings in candidates.items() for seed in self._seeds()]
        kept = {fit: float(value) for fit in fits if (value := self.study.kept(fit.key)) is not None}
        self.say(
            f"finals: {len(candidates)} settings by {counted(self.settings.tuning.seeds, 'seed')} each, "
            f"{len(kept)} of {len(fits)} fits are there"
        )
        values = {**kept, **self._measured([fit for fit in fits if fit not in kept])}
        found = [
            Finalist(trial=trial, values=tuple(values[fit] for fit in fits if fit.trial == trial))
            for trial in candidates
        ]
        return tuple(sorted(found, key=lambda finalist: (-finalist.mean, finalist.trial is not None)))

    def _seeds(self) -> range:
        first = self.settings.training.seed + 1
        return range(first, first + self.settings.tuning.seeds)

    def _measured(self, fits: list[_Fit]) -> dict[_Fit, float]:
        values: dict[_Fit, float] = {}
        waiting = {self._submitted(fit): (fit, 1) for fit in fits}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                fit, attempt = waiting.pop(future)
                try:
                    answer = future.result()
                except WorkerDied as death:
                    if attempt == ATTEMPTS:
                        raise _unfinished(fit.trial, str(death)) from None
                    waiting[self._submitted(fit)] = (fit, attempt + 1)
                    continue
                if answer.value is None:
                    raise _unfinished(fit.trial, answer.refused or "")
                values[fit] = answer.value
                self.study.keep(fit.key, answer.value)
                words = f"finals: {name_of(fit.trial)}, seed {fit.seed}: {METRIC} {answer.value:.4f}"
                self.say(f"{words} ({counted(len(fits) - len(values), 'fit')} left)")
        return values

    def _submitted(self, fit: _Fit) -> Future[Answer]:
        return self.crew.submit(with_seed(fit.settings, fit.seed), lambda *_: True)


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


def _unfinished(trial: int | None, why: str) -> TuningError:
    return TuningError(
        f"A final fit of {name_of(trial)} can't be finished: {why}",
        where="tuning",
        remedy="Run the command again; what was measured is kept.",
    )
