"""What to do, in plain words: the first thing to read."""

from __future__ import annotations

from two_tower_assets.evaluation.page.formats import counted
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import facts, section
from two_tower_assets.experiments.readout.figures import Decision, Readout, Verdict
from two_tower_assets.experiments.readout.metrics import METRICS

_SIGNS: dict[Decision, str] = {"better": "✓", "worse": "✗", "no difference": "=", "not yet": "…", "broken": "✗"}


def verdicts(readout: Readout) -> Html:
    """A banner an arm, and what was agreed beforehand."""
    return section(
        "verdict",
        "Verdict",
        None,
        [_banner(verdict) for verdict in readout.verdicts],
        element("h3", "What was agreed beforehand"),
        facts(
            {
                "Primary metric": METRICS[readout.primary].words,
                "Guardrails": ", ".join(METRICS[name].words for name in _guarded(readout)) or "none",
                "Planned users": f"{readout.planned_users:,}",
                "A user counts after": counted(readout.attribution_hours, "hour"),
                **(
                    {"Compared with what users did in the": counted(readout.before_days, "day") + " before"}
                    if readout.kind == "arms"
                    else {}
                ),
            }
        ),
    )


def _banner(verdict: Verdict) -> Html:
    look = "passed" if verdict.promotable else "refused" if verdict.decision in {"worse", "broken"} else "waiting"
    return element(
        "div",
        element(
            "p",
            element("span", _SIGNS[verdict.decision], class_="sign", aria_hidden="true"),
            f"{verdict.arm}: {verdict.decision}",
            class_="word",
        ),
        element("p", verdict.text),
        element("p", "It may be promoted." if verdict.promotable else "It may not be promoted."),
        class_=f"banner {look}",
    )


def _guarded(readout: Readout) -> list[str]:
    return list(dict.fromkeys(each.comparison.metric for each in readout.guardrails))
