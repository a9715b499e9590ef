"""Ablation and seeds at the command line: measured where the snapshot lies, printed as tables, kept as JSON."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.code import code_version
from two_tower_assets.defs.inputs import choices_of
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.store import Made
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.settings import Settings

if TYPE_CHECKING:
    from two_tower_assets.evaluation.page.data import PageVariants
    from two_tower_assets.evaluation.trials import Trial
    from two_tower_assets.evaluation.variants import Bench, Row

_METRICS: Final = ("ndcg@10", "recall@200", "purity@10", "nope_rate@10", "auc")
_GAINS: Final = ("ndcg@10", "recall@200")


def print_ablation(site: Site, trial: str, seeds: int, only: Sequence[str]) -> None:
    """Measure the variants in one trial and print a row each.

    Raises:
        EvaluationError: a variant is unknown.
    """
    from two_tower_assets.evaluation.variants import choose

    console, chosen = Console(highlight=False, width=TABLE_WIDTH), choose(only)
    table = Table(title=f"What each ingredient gives: {trial}, {seeds} seeds", title_justify="left")
    for column in ("variant", *_METRICS, *(f"{metric} minus full" for metric in _GAINS)):
        table.add_column(column)
    rows = list(_watched(console, _bench(site, trial).rows(chosen, seeds), len(chosen)))
    for row in rows:
        gains = (_signed(row.gains.get(metric)) if row.variant != chosen[0] else "" for metric in _GAINS)
        table.add_row(row.variant, *(_mean(row.metrics.get(metric)) for metric in _METRICS), *gains)
    console.print(table)
    _keep(site, f"ablation.{trial}.json", rows, console)


def print_seeds(site: Site, seeds: int) -> None:
    """Measure the recipe with several seeds in every trial and print the spread."""
    from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS, PER_USER
    from two_tower_assets.evaluation.variants import FULL

    console = Console(highlight=False, width=TABLE_WIDTH)
    table = Table(title=f"The recipe over {seeds} seeds (means over users)", title_justify="left")
    for column in ("trial", "metric", "mean", "deviation", "least", "most", *map(str, range(seeds))):
        table.add_column(column)
    for trial in (GLOBAL, PER_USER, NEW_VIDEOS):
        rows = list(_watched(console, _bench(site, trial).rows([FULL], seeds), 1))
        for metric, values in rows[0].by_seed.items():
            deviation = statistics.stdev(values) if len(values) > 1 else 0.0
            figures = (statistics.fmean(values), deviation, min(values), max(values), *values)
            table.add_row(trial, metric, *(f"{figure:.4f}" for figure in figures))
        _keep(site, f"seeds.{trial}.json", rows, console)
    console.print(table)


def _bench(site: Site, name: str) -> Bench:
    from two_tower_assets.evaluation.trials import trials_of
    from two_tower_assets.evaluation.variants import Bench

    videos = site.store.load("sources/videos")
    snapshot = videos.folder(site.home)

    def trial_of(settings: Settings) -> Trial:
        return trials_of(snapshot, settings.features, settings.evaluation, settings.resources).asked[name]

    return Bench(
        trial_of=trial_of,
        choices=choices_of(site.store.load("training/evaluated_checkpoint")),
        settings=site.settings,
        kept=_folder(site, videos),
        code=code_version("evaluation"),
    )


def variants_of(site: Site, videos: Made) -> PageVariants:
    """What ablation and seeds have measured on a snapshot so far, as the page shows it."""
    from two_tower_assets.evaluation.page.data import Ablation, PageVariants

    folder = _folder(site, videos)
    rows = _kept(folder / "ablation.per_user.json") or _kept(folder / "ablation.global.json")
    seeds = _kept(folder / "seeds.global.json")
    return PageVariants(
        ablation=tuple(Ablation(name=row["variant"], metrics=row["metrics"], gains=row["gains"]) for row in rows),
        seeds=seeds[0]["by_seed"] if seeds else {},
    )


def _kept(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return found


def _folder(site: Site, videos: Made) -> Path:
    return videos.folder(site.home) / "evaluation" / "variants"


def _watched(console: Console, rows: Iterator[Row], total: int) -> Iterator[Row]:
    """Say after each row how far things are and how long the rest will take."""
    started = time.monotonic()
    for done, row in enumerate(rows, start=1):
        left = (total - done) * (time.monotonic() - started) / done
        console.print(f"{row.variant}: {done} of {total}, {left:.0f} s left")
        yield row


def _keep(site: Site, name: str, rows: Sequence[Row], console: Console) -> None:
    path = _folder(site, site.store.load("sources/videos")) / name
    text = [
        {
            **asdict(row),
            "metrics": {key: figure.model_dump() for key, figure in row.metrics.items()},
            "gains": {key: figure.model_dump() for key, figure in row.gains.items()},
        }
        for row in rows
    ]
    path.write_text(json.dumps(text, indent=1), encoding="utf-8")
    console.print(f"kept in {path}")


def _mean(figure: Interval | None) -> str:
    return "–" if figure is None else f"{figure.mean:.4f}"


def _signed(figure: Interval | None) -> str:
    if figure is None or figure.low is None or figure.high is None:
        return "–"
    return f"{figure.mean:+.4f} [{figure.low:+.4f} {figure.high:+.4f}]"
