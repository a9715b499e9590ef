"""The job `rollback`: an earlier release made live again from the UI, from a sensor or by `dagster job launch`."""

from typing import Any, Final

import dagster as dg
from pydantic import Field

from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.stage import friendly

_RELEASE: Final = dg.AssetKey(["publishing", "release"])


class RollbackConfig(dg.Config):
    """What to go back to."""

    to: str | None = Field(default=None, description="Version; by default the one that was live before.")
    note: str | None = Field(default=None, description="Kept in the release log; by default the id of the run.")


@dg.op(out={"live": dg.Out(dg.Nothing, description="The version that is live afterwards.")})
@friendly
def make_an_earlier_release_live(
    context: dg.OpExecutionContext, config: RollbackConfig, workspace: Workspace
) -> None:
    """Move the live pointer back, in one transaction; the release's asset shows it as an observation."""
    from two_tower_assets.defs.rolling_back import roll_back

    note = config.note or f"run {context.run_id}"
    timed = roll_back(workspace.site.target, to=config.to, note=note)
    described: dict[str, Any] = {
        "model_version": timed.flip.model_version,
        "previous_version": timed.flip.previous or "none",
        "changed": timed.flip.changed,
        "milliseconds": timed.milliseconds,
    }
    context.log.info(str(timed))
    context.log_event(dg.AssetObservation(asset_key=_RELEASE, description="rolled back", metadata=described))
    context.add_output_metadata(described, output_name="live")


@dg.job(
    name="rollback",
    config=CONSOLE,
    description="Make an earlier release live again; seconds, and nothing is made. By default it is the one that was "
    "live before; to go further back, name a version as `to` in the launchpad (`two-tower releases` lists them).",
)
def rollback_job() -> None:
    """One op."""
    make_an_earlier_release_live()
