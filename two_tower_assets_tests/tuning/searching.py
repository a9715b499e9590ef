"""What tests of the search share: a world whose trials take a second, two settings to search, and how to begin.

    python -m two_tower_assets_tests.tuning.searching URL FOLDER TRIALS WORKERS

brings its study to so many trials and says each line that a run says; tests kill it.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from two_tower_assets.evaluation.trials import Source, Trials
from two_tower_assets.settings import Settings
from two_tower_assets.settings.search import Between
from two_tower_assets.training.examples import find_examples
from two_tower_assets.tuning.records import Outcome
from two_tower_assets.tuning.run import Place, tune
from two_tower_assets.tuning.search import Say
from two_tower_assets.tuning.space import Dimension
from two_tower_assets_tests.training.tastes import SMALL, tastes

SPACE = (
    Dimension("training.learning_rate", Between(1e-4, 3e-2, log=True)),
    Dimension("model.dropout", Between(0.0, 0.5)),
)


def settings_for(*, trials: int, workers: int = 1, minutes: float = 10.0) -> Settings:
    """Small towers, and a budget; one finalist by one seed."""
    tuning = SMALL.tuning.model_copy(
        update={"trials": trials, "workers": workers, "minutes": minutes, "finalists": 1, "seeds": 1}
    )
    return SMALL.model_copy(update={"tuning": tuning})


def trials_in(folder: Path) -> Trials:
    """The world's trials."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Source.of(tastes().snapshot(folder), SMALL.features, SMALL.evaluation)
    return Trials(source, find_examples(source.history, SMALL.evaluation))


def search(url: str, folder: Path, settings: Settings, say: Say = lambda _: None) -> Outcome:
    """Bring the study to its budget."""
    place = Place(url=url, windows=folder / "windows", label="tastes", code="1")
    return tune(trials_in(folder / "snapshot"), settings, SPACE, place, say)


if __name__ == "__main__":
    search(
        sys.argv[1],
        Path(sys.argv[2]),
        settings_for(trials=int(sys.argv[3]), workers=int(sys.argv[4])),
        partial(print, flush=True),
    )
