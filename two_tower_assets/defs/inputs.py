"""Opening what upstream assets left behind, as the objects that the stages work with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from two_tower_assets.defs.site import Site
from two_tower_assets.defs.store import Made
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.sources.snapshot import Snapshot, open_snapshot

if TYPE_CHECKING:
    from two_tower_assets.evaluation.choices import Choices
    from two_tower_assets.evaluation.gate import Verdict
    from two_tower_assets.evaluation.ranking import Ranking
    from two_tower_assets.evaluation.report import Report
    from two_tower_assets.evaluation.trials import Trials
    from two_tower_assets.experiments.readout.figures import Readout
    from two_tower_assets.training.examples import Examples
    from two_tower_assets.training.trainer import Curves

SPACE_FILE: Final = "feature_space.json"
ITEM_VECTORS_FILE: Final = "item_vectors.safetensors"
USER_VECTORS_FILE: Final = "user_vectors.safetensors"
EXAMPLES_FILE: Final = "examples.safetensors"
CURVES_FILE: Final = "curves.json"
REPORT_FILE: Final = "report.json"
VERDICT_FILE: Final = "verdict.json"
TUNED_FILE: Final = "tuned.json"
_RANKING: Final = ".ranking.safetensors"


def snapshot_of(site: Site, table: Made) -> Snapshot:
    """The snapshot that a `sources` asset belongs to."""
    return open_snapshot(table.folder(site.home))


def examples_of(site: Site, made: Made) -> Examples:
    """The training examples that `training/examples` wrote."""
    from two_tower_assets.training.examples import Examples

    return Examples.load(made.path(site.home, EXAMPLES_FILE))


def report_of(site: Site, made: Made) -> Report:
    """The evaluation report that `evaluation/report` wrote."""
    from two_tower_assets.evaluation.report import Report

    return Report.model_validate_json(made.path(site.home, REPORT_FILE).read_text(encoding="utf-8"))


def verdict_of(site: Site, made: Made) -> Verdict:
    """The gate's verdict, which `evaluation/report` wrote beside the report."""
    from two_tower_assets.evaluation.gate import Verdict

    return Verdict.model_validate_json(made.path(site.home, VERDICT_FILE).read_text(encoding="utf-8"))


def readouts_of(site: Site, made: Made) -> list[Readout]:
    """The readouts that `experiments/readout` wrote, by name."""
    from two_tower_assets.experiments.readout.figures import Readout

    files = (made.path(site.home, f"{name}.json") for name in made.facts["experiments"])
    return [Readout.model_validate_json(file.read_text(encoding="utf-8")) for file in files]


def choices_of(checkpoint: Made) -> Choices:
    """What the validation window decided, as either checkpoint keeps it."""
    from two_tower_assets.evaluation.choices import Choices

    return Choices.model_validate(checkpoint.facts["choices"])


def curves_of(site: Site, evaluated_checkpoint: Made) -> Curves:
    """Curves of the fit that the choices were made with."""
    from two_tower_assets.training.trainer import Curves

    return Curves(**json.loads(evaluated_checkpoint.path(site.home, CURVES_FILE).read_text(encoding="utf-8")))


def trials_for(site: Site, table: Made) -> Trials:
    """The trials of a snapshot under the run's settings."""
    from two_tower_assets.evaluation.trials import trials_of

    settings = site.settings
    return trials_of(table.folder(site.home), settings.features, settings.evaluation, settings.resources)


def save_rankings(into: Path, rankings: Mapping[str, Mapping[str, Ranking]]) -> None:
    """Write the lists of each method in each trial, by trial and method."""
    for trial, methods in rankings.items():
        for method, ranking in methods.items():
            ranking.save(into / f"{trial}.{method}{_RANKING}")


def rankings_of(site: Site, made: Made, trial: str) -> dict[str, Ranking]:
    """Method to its lists in a trial, as `save_rankings` wrote them."""
    from two_tower_assets.evaluation.ranking import Ranking

    names = [name for name in made.files if name.startswith(f"{trial}.") and name.endswith(_RANKING)]
    return {
        name.removeprefix(f"{trial}.").removesuffix(_RANKING): Ranking.load(made.path(site.home, name))
        for name in names
    }


def space_of(site: Site, made: Made) -> FeatureSpace:
    """The feature space that an asset wrote: the shipped one (`features/normalizer`) or an evaluated one."""
    return FeatureSpace.from_json(made.path(site.home, SPACE_FILE).read_text(encoding="utf-8"))
