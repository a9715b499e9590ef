"""What somebody typed, as an experiment: `ARM=VERSION`, `ARM=SHARE`, `ARM.SETTING=NUMBER`, and shares of users."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.definition import LIVE, Experiment, RankingChanges, define, define_ranking


def experiment_asked(
    name: str,
    *,
    arms: Iterable[str],
    weights: Iterable[str],
    ranking: Iterable[str],
    interleaving: bool,
    metric: str | None,
    guardrails: Iterable[str],
    users: int,
    attribution_hours: int,
    before_days: int,
    salt: str | None,
) -> Experiment:
    """Read the options of `two-tower experiment create`.

    Raises:
        ExperimentError: one is not of its form, names an arm that there is not, or the experiment is refused.
    """
    versions = list(_pairs(arms, "--arm", "control=live"))
    shares = dict(_pairs(weights, "--weight", "control=0.5"))
    changes: dict[str, dict[str, Any]] = {}
    for setting, value in _pairs(ranking, "--ranking", "challenger.diversity_lambda=0.8"):
        arm, *path = setting.split(".")
        _set(changes.setdefault(arm, {}), path, _number(value, f"--ranking {setting}"), setting)
    _require_known({name for name, _ in versions}, {*shares, *changes})
    if shares and len(shares) < len(versions):
        raise _misread("--weight", f"{len(shares)} of {len(versions)} arms have one", "Give every arm one, or none.")
    return define(
        name=name,
        kind="interleaving" if interleaving else "arms",
        salt=salt or name,
        arms=[
            {
                "name": arm,
                "weight": _number(shares[arm], f"--weight {arm}") if shares else 1 / len(versions),
                "model_version": None if version == LIVE else version,
                "ranking": changes.get(arm, {}),
            }
            for arm, version in versions
        ],
        primary_metric=metric or ("preference" if interleaving else "like_rate"),
        guardrails=tuple(guardrails),
        attribution_hours=attribution_hours,
        before_days=before_days,
        planned_users=users,
    )


def ranking_asked(ranking: Iterable[str]) -> RankingChanges:
    """Read `SETTING=NUMBER`, repeated.

    Raises:
        ExperimentError: one is not of its form, or no setting of a list.
    """
    changes: dict[str, Any] = {}
    for setting, value in _pairs(ranking, "--ranking", "diversity_lambda=0.8"):
        _set(changes, setting.split("."), _number(value, f"--ranking {setting}"), setting)
    return define_ranking(changes)


def share_asked(text: str, option: str) -> Decimal:
    """Read a share exactly as it was written.

    Raises:
        ExperimentError: it is no finite number.
    """
    try:
        share = Decimal(text)
    except InvalidOperation:
        share = Decimal("nan")
    if not share.is_finite():
        raise _misread(option, f"{text!r} is not a number", "Write 0.1 for every tenth user.")
    return share


def _pairs(given: Iterable[str], option: str, example: str) -> Iterator[tuple[str, str]]:
    for text in given:
        name, found, value = text.partition("=")
        if not (name and found and value):
            raise _misread(option, f"{text!r} is not of the form", f"Write it as {option} {example}.")
        yield name, value


def _number(text: str, option: str) -> float | int:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misread(option, f"{text!r} is not a number", "Write it with a point, such as 0.8.")
    return value


def _set(changes: dict[str, Any], path: list[str], value: float, setting: str) -> None:
    match path:
        case [name]:
            changes[name] = value
        case ["rerank", name]:
            changes.setdefault("rerank", {})[name] = value
        case _:
            raise _misread("--ranking", f"{setting!r} names no setting of a list", "Take one such as rerank.free.")


def _require_known(arms: set[str], named: set[str]) -> None:
    if unknown := sorted(named - arms):
        raise _misread(
            "--arm", f"there is no arm {', '.join(unknown)}", f"The arms are {', '.join(sorted(arms)) or 'none'}."
        )


def _misread(option: str, what: str, remedy: str) -> ExperimentError:
    return ExperimentError(f"The experiment is refused: {what}", where=option, remedy=remedy)
