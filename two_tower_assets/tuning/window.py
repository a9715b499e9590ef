"""What a trial is measured on: the past before the test window, and the validation window at its end.

The folder that `write_window` makes is all that a worker gets: no decision of the test window is in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from two_tower_assets.errors import TuningError
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.evaluation.trials import Source, Trials, global_trial, sample_users
from two_tower_assets.features.history import History
from two_tower_assets.features.times import moment_of
from two_tower_assets.home import write_text
from two_tower_assets.settings import Settings
from two_tower_assets.sources.past import past_of
from two_tower_assets.sources.snapshot import Snapshot
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.examples import Examples, Split

_FACTS_FILE: Final = "window.json"


@dataclass(frozen=True)
class Window:
    """A past, and who is asked what about the window at its end."""

    data: TrainingData
    """Before the validation window."""
    task: RankingTask
    """Of known users."""


def write_window(trials: Trials, folder: Path) -> None:
    """Write what trials may see into a folder that is made for this split of these data, once."""
    split, snapshot = trials.examples.split, trials.source.snapshot
    if (folder / _FACTS_FILE).exists():
        return
    past = past_of(snapshot, moment_of(split.test_from), folder)
    # The end that a worker is told is the test window's begin.
    known = Split(split.validation_from, split.test_from, split.test_from)
    facts = {"cutoff": past.cutoff.isoformat(), "content_hash": past.content_hash, "split": vars(known)}
    write_text(folder / _FACTS_FILE, json.dumps(facts))


def open_window(folder: Path, settings: Settings) -> Window:
    """Cut the trial out of what `write_window` wrote.

    Raises:
        TuningError: no known user likes anything in the validation window.
    """
    facts = json.loads((folder / _FACTS_FILE).read_text(encoding="utf-8"))
    snapshot = Snapshot(folder, datetime.fromisoformat(facts["cutoff"]), facts["content_hash"], {})
    source = Source(snapshot, History.from_snapshot(snapshot), settings.features, settings.evaluation)
    split = Split(**facts["split"])
    examples = Examples(source.history.examples(), split)
    trial = global_trial(source, examples, split.validation_from, split.test_from)
    known = trial.task.part(trial.task.has_history)
    if not len(known.users):
        raise TuningError(
            "No known user likes anything in the validation window, so settings can't be told apart",
            where="evaluation.validation_quantile",
            remedy="Take more decisions, or a smaller validation_quantile.",
        )
    return Window(trial.data, sample_users(known, settings.tuning.users, settings.evaluation.seed))
