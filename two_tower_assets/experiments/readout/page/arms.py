"""Each arm by itself: who was served what, and the metrics with their bounds."""

from __future__ import annotations

from two_tower_assets.evaluation.page.formats import count, percent
from two_tower_assets.evaluation.page.markup import Html
from two_tower_assets.evaluation.page.parts import Column, Row, measured, section, table
from two_tower_assets.experiments.readout.figures import ArmFigures, Readout
from two_tower_assets.experiments.readout.metrics import METRICS, OF_LISTS, OF_USERS


def arms(readout: Readout) -> Html:
    """A row an arm."""
    metrics = [name for name in (*OF_USERS, *OF_LISTS) if any(name in arm.metrics for arm in readout.arms)]
    columns = [
        Column("Arm"),
        Column("Share", "num", "Of the users, as planned"),
        Column("Users", "num", "Who were served a list of the experiment at least once"),
        Column("Counted", "num", "Whose window is over, and who were not left out"),
        Column("Lists", "num"),
        Column("Videos shown", "num"),
        *(Column(METRICS[name].words.capitalize(), "num") for name in metrics),
    ]
    return section(
        "arms",
        "Arms",
        _sizes(readout),
        table("Each arm by itself", columns, [_row(arm, metrics) for arm in readout.arms]),
    )


def _sizes(readout: Readout) -> str:
    if readout.mismatch is None:
        return "Nobody has entered yet."
    who = "Users fell into the arms" if readout.kind == "arms" else "Each ranking’s pick stood first"
    words = "as planned" if all(verdict.decision != "broken" for verdict in readout.verdicts) else "not as planned"
    return f"{who} {words} (p = {readout.mismatch:.3g}, alarm at 0.001 however often one looks)."


def _row(arm: ArmFigures, metrics: list[str]) -> Row:
    counts = (arm.entered, arm.counted, arm.lists, arm.places)
    return Row(
        arm.arm,
        [percent(arm.share), *map(count, counts), *(measured(arm.metrics.get(name)) for name in metrics)],
    )
