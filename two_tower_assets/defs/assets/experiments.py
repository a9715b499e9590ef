"""Assets of the experiments: what they say today, as pages to read, and whether an arm may be promoted.

Of those that run, and of those that were stopped of late and whose promotion is not decided.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from two_tower_assets.defs import metadata
from two_tower_assets.defs.experimenting.readout_tables import arm_rows, lift_rows, said
from two_tower_assets.defs.inputs import VERDICT_FILE, readouts_of
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.stage import OVER_A_NETWORK, Metadata, produce, stage_asset
from two_tower_assets.defs.store import Facts, Made

if TYPE_CHECKING:
    from two_tower_assets.experiments.readout.figures import Readout
    from two_tower_assets.experiments.readout.kept import Kept

_NOTHING = "No experiment runs, and none was stopped of late."
_KEPT = ".kept.npz"


@stage_asset(
    "experiments/readout", deps=["sources/database"], kinds={"postgres", "numpy"}, retry_policy=OVER_A_NETWORK
)
def readout(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Made]:
    """What each experiment says at this look: figures of each arm, lifts with bounds that hold at every look.

    Of those that run, and those stopped in the last 30 days of which no arm was promoted yet.

    Users who were read at the look before are not read again. Nothing is made of none.
    """
    from two_tower_assets.database.connection import connect
    from two_tower_assets.experiments.readout.gather import look
    from two_tower_assets.experiments.readout.kept import save
    from two_tower_assets.experiments.readout.planning import to_read

    site = workspace.site
    latest = site.store.latest("experiments/readout")
    with connect(site.serving_url) as connection:
        found = {name: look(connection, name, kept=_kept(site, latest, name)) for name in to_read(connection)}

    def fill(into: Path) -> Facts:
        for name, (read, kept) in found.items():
            (into / f"{name}.json").write_text(read.model_dump_json(indent=1), encoding="utf-8")
            if kept is not None:
                save(kept, into / f"{name}{_KEPT}")
        return {"experiments": sorted(found)}

    # The moment of the look is no news by itself.
    said_now = "".join(read.model_dump_json(exclude={"at"}) for read, _ in found.values())
    return produce(
        context,
        site,
        parent=site.home.experiments / site.origin.dataset,
        extra=hashlib.sha256(said_now.encode()).hexdigest(),
        fill=fill,
        describe=lambda made: _describe(readouts_of(site, made)),
    )


@stage_asset("experiments/page", inputs=["experiments/readout"], kinds={"html"})
def page(context: dg.AssetExecutionContext, workspace: Workspace, readout: Made) -> dg.MaterializeResult[Made]:
    """Each readout as one page that works offline.

    Copy its path into the address bar of a browser on this machine.
    """
    from two_tower_assets.experiments.readout.page.document import render

    site = workspace.site

    def fill(into: Path) -> Facts:
        for found in readouts_of(site, readout):
            (into / f"{found.experiment}.html").write_text(render(found), encoding="utf-8")
        return {}

    return produce(
        context,
        site,
        inputs=[readout],
        parent=site.home.experiments / site.origin.dataset,
        fill=fill,
        describe=lambda made: (
            {name: dg.MetadataValue.path(made.path(site.home, name)) for name in made.files} or {"pages": _NOTHING}
        ),
    )


@stage_asset("experiments/verdict", inputs=["experiments/readout"], kinds={"json"})
def verdict(context: dg.AssetExecutionContext, workspace: Workspace, readout: Made) -> dg.MaterializeResult[Made]:
    """What each experiment means, in plain words, and which arm may be promoted. Its check is blocking."""
    site = workspace.site

    def fill(into: Path) -> Facts:
        found = {one.experiment: [each.model_dump() for each in one.verdicts] for one in readouts_of(site, readout)}
        (into / VERDICT_FILE).write_text(json.dumps(found, indent=1), encoding="utf-8")
        return {}

    return produce(
        context,
        site,
        inputs=[readout],
        parent=site.home.experiments / site.origin.dataset,
        fill=fill,
        describe=lambda _: (
            {one.experiment: metadata.text_list(said(one)) for one in readouts_of(site, readout)}
            or {"verdict": _NOTHING}
        ),
    )


def _kept(site: Site, latest: Made | None, name: str) -> Kept | None:
    """What the look before kept of an experiment, if it is still there."""
    from two_tower_assets.experiments.readout.kept import load

    file = None if latest is None else latest.folder(site.home) / f"{name}{_KEPT}"
    return load(file) if file is not None and file.is_file() else None


def _describe(readouts: list[Readout]) -> Metadata:
    if not readouts:
        return {"experiments": _NOTHING}
    from two_tower_assets.experiments.readout.plots import over_time_plot

    described: dict[str, Any] = {}
    for found in readouts:
        name = found.experiment
        described |= {
            f"{name}: verdict": metadata.text_list(said(found)),
            f"{name}: arms": metadata.table(*arm_rows(found)),
            f"{name}: lift": metadata.table(*lift_rows(found)),
            f"{name}: over time": metadata.picture(
                over_time_plot(found), f"lift of {name} with its bounds by day, and users and lists by arm"
            ),
            f"{name}: counted users": sum(arm.counted for arm in found.arms),
        }
        for verdict in found.verdicts:
            difference = found.primary_of(verdict.arm).difference
            if difference is not None:
                described[f"{name}: {verdict.arm}, {found.primary}"] = metadata.figure(difference.mean)
    return described
