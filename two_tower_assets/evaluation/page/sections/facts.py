"""Data and settings: what the model learned from, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import MISSING, count, minute
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, details, facts, section, table
from two_tower_assets.evaluation.page.words import method_name, trial_name
from two_tower_assets.evaluation.report import Report

_LEFT_OUT = {
    "unknown_video": "not in the catalogue",
    "inactive_video": "not active",
    "no_candidate": "not released or not known at the cut-off",
}


def data_and_settings(page: PageData) -> Html:
    """Everything folded but the data set itself."""
    return section(
        "data",
        "Data and settings",
        None,
        facts(_data(page)),
        details("What the validation window decided", facts(_choices(page.report))),
        details("Trials", _trials(page.report)),
        details("Baselines and how they were tuned", _baselines(page.report)),
        [details(element("code", name), _settings(values)) for name, values in page.settings.items()],
    )


def _data(page: PageData) -> dict[str, Child]:
    rows: dict[str, Child] = {f"Rows of {name}": count(number) for name, number in page.data.rows.items()}
    return {
        "Data set": page.data.label,
        "Model version": element("code", page.model_version),
        "Preset": page.report.preset,
        "Compared with": _champion(page.report),
        "Decisions before": minute(page.data.cutoff),
        **rows,
        "Content hash": element("code", page.data.content_hash, class_="hash"),
    }


def _champion(report: Report) -> Child:
    if report.champion_version is None:
        return "baselines alone: nothing is live yet"
    return ["live release ", element("code", report.champion_version)]


def _choices(report: Report) -> dict[str, Child]:
    choices = report.choices
    line = choices.like_calibration
    return {
        "Steps": count(choices.steps),
        "Taste weight": f"{choices.taste_weight:g}",
        "Half-life of the fallback, days": f"{choices.fallback_half_life_days:g}",
        "Strength of the re-ranking": f"{choices.rerank_strength:g}",
        "Like probability": MISSING
        if line is None
        else f"sigmoid({line.a:.3f} · similarity + {line.b:.3f})".replace("+ -", "− "),
    }


def _trials(report: Report) -> Html:
    columns = [
        Column("Trial"),
        Column("From"),
        Column("To"),
        Column("Videos ranked", "num"),
        Column("LIKEs left out"),
    ]
    rows = [
        Row(
            trial_name(name),
            [minute(trial.start), minute(trial.end), count(trial.candidates), _left_out(trial.left_out)],
        )
        for name, trial in report.trials.items()
    ]
    return table("What was hidden and asked", columns, rows)


def _left_out(reasons: Mapping[str, int]) -> str:
    said = [
        f"{count(number)} {_LEFT_OUT.get(reason, reason.replace('_', ' '))}"
        for reason, number in reasons.items()
        if number
    ]
    return ", ".join(said) or "none"


def _baselines(report: Report) -> Html:
    columns = [Column("Baseline"), Column("Trial"), Column("Parameters"), Column("Missing because")]
    rows = [
        Row(
            method_name(method),
            [trial_name(trial), _parameters(baseline.parameters), baseline.missing or MISSING],
        )
        for trial, methods in report.baselines.items()
        for method, baseline in methods.items()
    ]
    return table("Chosen on the validation window of each trial", columns, rows)


def _parameters(parameters: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} = {value}" for name, value in (parameters or {}).items()) or MISSING


def _settings(values: Any) -> Html:
    """Nested settings as nested terms; a single value stands for itself."""
    if not isinstance(values, Mapping):
        return element("code", str(values))
    return facts({name: _settings(value) for name, value in values.items()})
