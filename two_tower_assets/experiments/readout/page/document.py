"""The page of a readout: its sections in order."""

from __future__ import annotations

from typing import Final

from two_tower_assets.evaluation.page.formats import minute
from two_tower_assets.evaluation.page.markup import element
from two_tower_assets.evaluation.page.shell import html_page
from two_tower_assets.experiments.readout.figures import Readout
from two_tower_assets.experiments.readout.page.arms import arms
from two_tower_assets.experiments.readout.page.days import days
from two_tower_assets.experiments.readout.page.left_out import left_out
from two_tower_assets.experiments.readout.page.lifts import lifts
from two_tower_assets.experiments.readout.page.verdicts import verdicts

_SECTIONS: Final = (
    ("verdict", "Verdict", verdicts),
    ("lift", "Beside the control", lifts),
    ("days", "Day by day", days),
    ("arms", "Arms", arms),
    ("left-out", "Left out", left_out),
)


def render(readout: Readout) -> str:
    """Write the page; the same readout gives the same bytes."""
    words = ", ".join(f"{verdict.arm} {verdict.decision}" for verdict in readout.verdicts)
    return html_page(
        title=f"Experiment {readout.experiment}: {words}",
        heading=["Experiment ", element("code", readout.experiment)],
        below=_when(readout),
        sections=[(key, name, write(readout)) for key, name, write in _SECTIONS],
    )


def _when(readout: Readout) -> str:
    if readout.state == "stopped":
        return f"ran from {minute(readout.started_at)} to {minute(readout.at)}"
    return f"{readout.state} since {minute(readout.started_at)} · as of {minute(readout.at)}"
