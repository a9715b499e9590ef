"""One run: the study brought to its budget, the finals, the contest, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.evaluation.trials import Trials
from two_tower_assets.features.times import moment_of
from two_tower_assets.settings import Settings
from two_tower_assets.training.engine import LOCAL, Engine
from two_tower_assets.tuning.contest import hold_contest
from two_tower_assets.tuning.crew import Crew
from two_tower_assets.tuning.finalists import Finals, best_of
from two_tower_assets.tuning.proposal import changes_between
from two_tower_assets.tuning.records import Finalist, Outcome, TrialRecord
from two_tower_assets.tuning.search import Say, Search
from two_tower_assets.tuning.space import Dimension, current_point, not_searched, with_values
from two_tower_assets.tuning.study import held_study, identity
from two_tower_assets.tuning.window import write_window


@dataclass(frozen=True)
class Place:
    """Where a run works."""

    url: str
    """The Postgres that holds the studies."""
    windows: Path
    """Folder of what trials are given, one below it a study."""
    label: str
    """Of the data set; a part of the study's name."""
    code: str
    """Version of the code that measures, and the kind of machine: what another one measured is not used."""
    engine: Engine = LOCAL
    """What fits for the contest; trials are fitted by workers of their own."""


def tune(trials: Trials, settings: Settings, space: tuple[Dimension, ...], place: Place, say: Say) -> Outcome:
    """Search until the budget is spent; a study of the same data, space and code goes on where it was.

    Args:
        trials: of the latest snapshot.
        settings: the current ones, with the budget.
        space: what is searched (`space.search_space`).
        place: where to work.
        say: told of everything that takes a while.

    Raises:
        TuningError: nobody can be asked, the study is somebody else's, no trial was completed, or workers keep dying.
        DatabaseError: the database can't be reached, or refuses.
    """
    name = study_name(trials, settings, space, place)
    folder = place.windows / name.rpartition("-")[2]
    write_window(trials, folder)
    with held_study(place.url, name, space, seed=settings.tuning.seed) as study:
        study.begin_with(current_point(space, settings))
        with Crew(folder, settings, settings.tuning.workers) as crew:
            Search(study, crew, space, settings, say).run()
            found, importances = study.trials(), study.importances()
            finalists = _finals(Finals(study, crew, space, settings, say), found)
    winner = _winner(finalists, found, settings)
    return Outcome(
        study=name,
        validation_begin=moment_of(trials.examples.split.validation_from),
        test_begin=moment_of(trials.examples.split.test_from),
        users=min(int(trials.validation.task.has_history.sum()), settings.tuning.users),
        trials=found,
        importances=importances,
        finalists=finalists,
        changes=changes_between(space, settings, winner) if winner else (),
        contest=hold_contest(trials, settings, winner, say, engine=place.engine) if winner else None,
    )


def study_name(trials: Trials, settings: Settings, space: tuple[Dimension, ...], place: Place) -> str:
    """The data set's label and a hash of all that trials must have in common to be compared."""
    split = trials.examples.split
    parts = {
        "code": place.code,
        "data": trials.source.snapshot.content_hash,
        "window": f"{split.validation_from} {split.test_from}",
        "space": repr(space),
        "settings": json.dumps(not_searched(space, settings), sort_keys=True),
        "users": str(settings.tuning.users),
    }
    return f"{place.label}-{identity(parts)}"


def _finals(finals: Finals, found: tuple[TrialRecord, ...]) -> tuple[Finalist, ...]:
    candidates: dict[int | None, Settings] = {None: finals.settings}
    for trial in best_of(found, finals.settings.tuning.finalists):
        candidate = with_values(finals.settings, trial.point)
        if candidate != finals.settings:
            candidates[trial.number] = candidate
    return finals.run(candidates)


def _winner(finalists: tuple[Finalist, ...], found: tuple[TrialRecord, ...], settings: Settings) -> Settings | None:
    """Settings of the best finalist; None when these are the current ones."""
    best = finalists[0].trial
    if best is None:
        return None
    return with_values(settings, next(trial.point for trial in found if trial.number == best))
