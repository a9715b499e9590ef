"""A baseline in every trial that it can answer: tuned on the validation window, fitted on what may be seen, asked.

| trial | tuned on |
|---|---|
| `global` | the global validation window |
| `per_user` | each user's decisions before the hidden ones |
| `new_videos` | as for `global`; only methods that can know a video without decisions take part |

A method that cannot be fitted is reported with the reason and stops nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines import BASELINES, Baseline, Fitted, Parameters, tune
from two_tower_assets.evaluation.baselines.threads import side_by_side
from two_tower_assets.evaluation.ranking import Ranking, rank
from two_tower_assets.evaluation.report import Baseline as Kept
from two_tower_assets.evaluation.selection import DEPTH, mean_ndcg
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS, PER_USER, Trial, Trials, sample_users

_KNOWS_NEW_VIDEOS: Final = frozenset({"most_popular", "content_cosine"})

_TUNING_USERS: Final = 2000
"""Enough to tell one entry of a grid from another, and a fraction of what a large window would ask."""
_SEED: Final = 0


@dataclass(frozen=True)
class Result:
    """What came of one baseline in one trial."""

    ranking: Ranking | None
    baseline: Kept


def baseline_results(name: str, trials: Trials) -> dict[str, Result]:
    """Trial to result; trials that the method cannot know anything about are left out."""
    method = next(method for method in BASELINES if method.name == name)

    def tuned_before_a_moment() -> dict[str, Result]:
        chosen = _chosen(method, trials.validation)
        results = {GLOBAL: _result(method, chosen, trials.test)}
        if name in _KNOWS_NEW_VIDEOS:
            results[NEW_VIDEOS] = _result(method, chosen, trials.new_videos)
        return results

    def tuned_per_user() -> dict[str, Result]:
        return {PER_USER: _result(method, _chosen(method, trials.per_user_validation), trials.per_user)}

    # Each names its trials once and in their turn: two need not fit into the memory.
    works = [tuned_before_a_moment, tuned_per_user]
    found = side_by_side(works) if trials.all_fit else [work() for work in works]
    results = found[0] | found[1]
    return {trial: results[trial] for trial in (GLOBAL, PER_USER, NEW_VIDEOS) if trial in results}


def _chosen(method: Baseline, validation: Trial) -> Parameters | EvaluationError:
    """Parameters with the best NDCG@10 of some known users of a validation window; the first where it has none."""
    known = validation.task.part(validation.task.has_history)
    task = sample_users(known, _TUNING_USERS, _SEED)
    if not len(task.users) or len(method.grid) == 1:
        return method.grid[0]

    def measure(fitted: Fitted) -> float:
        return mean_ndcg(rank(task, validation.data.history, fitted.score(task), DEPTH), task)

    try:
        return tune(method, validation.data, measure).parameters
    except EvaluationError as error:
        return error


def _result(method: Baseline, chosen: Parameters | EvaluationError, trial: Trial) -> Result:
    try:
        if isinstance(chosen, EvaluationError):
            raise chosen
        fitted = method.fit(trial.data, chosen)
    except EvaluationError as error:
        return Result(None, Kept(missing=str(error)))
    ranking = rank(trial.task, trial.data.history, fitted.score(trial.task), DEPTH)
    return Result(ranking, Kept(parameters=dict(chosen), notes=tuple(fitted.notes)))
