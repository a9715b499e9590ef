"""Opening what upstream assets left behind, as the objects that the stages work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from two_tower_assets.defs.site import Site
from two_tower_assets.defs.store import Made
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.sources.snapshot import Snapshot, open_snapshot

if TYPE_CHECKING:
    from two_tower_assets.evaluation.report import Report
    from two_tower_assets.training.examples import Examples

SPACE_FILE: Final = "feature_space.json"
ITEM_VECTORS_FILE: Final = "item_vectors.safetensors"
USER_VECTORS_FILE: Final = "user_vectors.safetensors"
EXAMPLES_FILE: Final = "examples.safetensors"
CURVES_FILE: Final = "curves.json"
REPORT_FILE: Final = "report.json"


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


def space_of(site: Site, made: Made) -> FeatureSpace:
    """The feature space that an asset wrote: the shipped one (`features/normalizer`) or an evaluated one."""
    return FeatureSpace.from_json(made.path(site.home, SPACE_FILE).read_text(encoding="utf-8"))
