"""The search: points drawn, given out, pruned and kept until the study has as many as it may have, or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from two_tower_assets.errors import TuningError
from two_tower_assets.settings import Settings
from two_tower_assets.tuning.crew import Answer, Crew, WorkerDied
from two_tower_assets.tuning.measure import METRIC
from two_tower_assets.tuning.space import Dimension, at_point
from two_tower_assets.tuning.study import ATTEMPTS, Drawn, Study

Say = Callable[[str], None]

_MOST_DEATHS: Final = 2 * ATTEMPTS
"""In a row: then it's not the points that workers die of."""


@dataclass
class Search:
    """One run of a search."""

    study: Study
    crew: Crew
    space: tuple[Dimension, ...]
    settings: Settings
    """The current ones, with the budget."""
    say: Say
    _waiting: dict[Future[Answer], Drawn] = field(default_factory=dict)
    _done: int = 0
    """Points of the study that count."""
    _here: int = 0
    """Of them, those of this run."""
    _deaths: int = 0
    _best: float | None = None

    def run(self) -> None:
        """Bring the study to its number of points, or stop drawing when time is up.

        Raises:
            TuningError: workers keep dying.
        """
        adopted = self.study.adopt()
        known = self.study.trials()
        self._done = len(known)
        self._best = max((trial.value for trial in known if trial.value is not None), default=None)
        self._open(adopted)
        self._started = time.monotonic()
        while self._give_out():
            done, _ = wait(self._waiting, return_when=FIRST_COMPLETED)
            for future in done:
                self._take(self._waiting.pop(future), future)

    def _open(self, adopted: int) -> None:
        budget = self.settings.tuning
        if self._done or adopted:
            again = f", and {adopted} of a process that is gone, which are drawn again" if adopted else ""
            self.say(f"the study {self.study.name} goes on: it has {self._done} points{again}")
        else:
            self.say(
                f"the study {self.study.name} begins: {budget.trials} points in at most {budget.minutes:g} minutes"
            )

    def _give_out(self) -> bool:
        """Keep every worker busy; return whether any is."""
        while len(self._waiting) < self.crew.workers and self._may_draw():
            drawn = self.study.draw()
            settings = at_point(self.settings, self.space, drawn.point)
            self._waiting[self.crew.submit(settings, partial(self.study.look, drawn))] = drawn
        return bool(self._waiting)

    def _may_draw(self) -> bool:
        budget = self.settings.tuning
        in_time = time.monotonic() - self._started < 60 * budget.minutes
        return in_time and self._done + len(self._waiting) < budget.trials

    def _take(self, drawn: Drawn, future: Future[Answer]) -> None:
        try:
            answer = future.result()
        except WorkerDied as death:
            self._lose(drawn, str(death))
            return
        self._deaths = 0
        if answer.refused is not None:
            self.study.refuse(drawn, answer.refused)
            self._finish(drawn, f"refused: {answer.refused}")
        elif answer.value is None:
            self.study.prune(drawn)
            self._finish(drawn, "ended early")
        else:
            self.study.complete(drawn, answer.value)
            self._best = answer.value if self._best is None else max(self._best, answer.value)
            self._finish(drawn, f"{METRIC} {answer.value:.4f}")

    def _lose(self, drawn: Drawn, reason: str) -> None:
        self._deaths += 1
        again = self.study.lose(drawn, reason)
        if self._deaths >= _MOST_DEATHS:
            raise TuningError(
                f"{self._deaths} workers died one after another, the last one so: {reason}",
                where=self.study.name,
                remedy="Free memory or take fewer `--workers`, then run the command again; the study goes on.",
            )
        if again:
            self.say(f"trial {drawn.number}: its worker died and the point is drawn again ({reason})")
        else:
            self._finish(drawn, f"given up, {ATTEMPTS} workers died of it")

    def _finish(self, drawn: Drawn, words: str) -> None:
        self._done += 1
        self._here += 1
        best = "" if self._best is None else f", best so far {self._best:.4f}"
        self.say(f"trial {drawn.number}: {words} ({self._done} of {self.settings.tuning.trials}{best}{self._left()})")

    def _left(self) -> str:
        """The time until the last point, as the rate so far has it."""
        budget = self.settings.tuning
        passed = time.monotonic() - self._started
        points = (budget.trials - self._done) * passed / self._here
        seconds = min(points, max(0.0, 60 * budget.minutes - passed))
        return f", {seconds:.0f} s left" if seconds else ""
