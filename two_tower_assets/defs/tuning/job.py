"""The job `tune`: settings searched on the latest snapshot, started by hand or by `two-tower tune`.

It is a job of one op and no part of the graph, which would else be searched with every release. What it leaves behind
is seen as the asset `tuning/study`.
"""

from typing import TYPE_CHECKING, Any, Final

import dagster as dg
from pydantic import Field

from two_tower_assets.defs import metadata
from two_tower_assets.defs.automation.going import ONE_AT_A_TIME
from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.stage import friendly
from two_tower_assets.defs.store import Made
from two_tower_assets.settings import Settings, parse_settings

if TYPE_CHECKING:
    from two_tower_assets.tuning.records import Outcome

_OP: Final = "search_settings"


class TuneConfig(dg.Config):
    """How much may be searched; what is not said is as the table `[tuning]` of the settings says."""

    trials: int | None = Field(default=None, description="Points of the study, those of earlier runs included.")
    minutes: float | None = Field(default=None, description="After so long no further point is begun.")
    workers: int | None = Field(default=None, description="Points side by side, each in a process of its own.")

    def over(self, settings: Settings) -> Settings:
        """Put what is said into the settings.

        Raises:
            SettingsError: a number is out of its range.
        """
        said = {name: value for name, value in self.model_dump().items() if value is not None}
        values = settings.model_dump(mode="json")
        return parse_settings({**values, "tuning": {**values["tuning"], **said}}, where=f"the job tune, {_OP}")


@dg.op(name=_OP, out={"study": dg.Out(dg.Nothing, description="What the study came to.")})
@friendly
def search_settings(context: dg.OpExecutionContext, config: TuneConfig, workspace: Workspace) -> None:
    """Search on the validation window, repeat the best by other seeds, and compare the winner on the test window."""
    from two_tower_assets.defs.tuning.making import ASSET, make_study

    site = workspace.site
    made = make_study(site, config.over(site.settings), context.log.info)
    described = _described(site, made)
    context.log.info(str(described["verdict"]))
    context.log_event(dg.AssetMaterialization(asset_key=ASSET.split("/"), metadata=described))
    context.add_output_metadata(described, output_name="study")


@dg.job(
    name="tune",
    config=CONSOLE,
    tags={ONE_AT_A_TIME: "tune"},
    description="Search better settings on the latest snapshot: an Optuna study in the pipeline's Postgres, whose "
    "points are measured on the validation window by workers of their own; the winner is compared with the current "
    "settings on the test window, and written as a diff for review. Nothing is applied. A study that was ended goes "
    "on where it was. Needs the extra `tuning`, and the assets of the group `sources`.",
)
def tune_job() -> None:
    """One op."""
    search_settings()


def _described(site: Site, made: Made) -> dict[str, Any]:
    from two_tower_assets.defs.tuning.making import diff_of, outcome_of
    from two_tower_assets.evaluation.nightly.next_day import RECALL
    from two_tower_assets.tuning.page import PAGE_FILE
    from two_tower_assets.tuning.plots import history_plot, importance_plot
    from two_tower_assets.tuning.verdict import everybody, verdict_lines

    outcome, diff = outcome_of(site, made), diff_of(site, made)
    found = everybody(outcome.contest).difference[RECALL] if outcome.contest else None
    return {
        "verdict": " ".join(verdict_lines(outcome)),
        "change": dg.MetadataValue.md(f"```diff\n{diff}```" if diff else "none"),
        "history": metadata.picture(history_plot(outcome), "recall@50 of each trial, and the best so far"),
        "importance": metadata.picture(importance_plot(outcome), "How much each setting mattered"),
        "finals": _finals(outcome),
        "trials": len(outcome.trials),
        **({"gain_in_recall_at_50": metadata.figure(found.mean)} if found else {}),
        "page": dg.MetadataValue.path(made.path(site.home, PAGE_FILE)),
    }


def _finals(outcome: "Outcome") -> dg.MetadataValue[Any]:
    from two_tower_assets.tuning.finalists import name_of

    rows = [
        (name_of(each.trial), f"{each.mean:.4f}", " ".join(f"{value:.4f}" for value in each.values))
        for each in outcome.finalists
    ]
    return metadata.table(("settings", "mean", "by seed"), rows)
