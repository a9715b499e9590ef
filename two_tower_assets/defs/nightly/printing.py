"""A replay at the command line: a line a night while it runs, then one table, what it comes to, and where it lies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.nightly.night import Build
from two_tower_assets.defs.nightly.recipe import differences, replay_settings
from two_tower_assets.defs.nightly.replay import Replay
from two_tower_assets.defs.nightly.world import World, all_rows, make_world
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import as_markdown
from two_tower_assets.evaluation.nightly.arrivals import mornings_of
from two_tower_assets.evaluation.nightly.next_day import METRICS
from two_tower_assets.evaluation.nightly.records import FIRST, LIVE, POPULAR, Day, Night
from two_tower_assets.evaluation.nightly.summary import Summary, summarise
from two_tower_assets.home import write_text
from two_tower_assets.local.postgres import EmbeddedPostgres

_WIDTH: Final = 180
_METHODS: Final = (LIVE, FIRST, POPULAR)


def print_replay(site: Site, build: Build, *, nights: int, last_day: date | None, full: bool) -> None:
    """Replay nights of a site's rows, and print a row each.

    Raises:
        SourceDataError: the source has no past that can be laid out anew.
        EvaluationError: its decisions do not reach so far back.
    """
    console = Console(highlight=False, width=_WIDTH)
    settings = replay_settings(site.settings, full=full)
    tables = all_rows(site)
    world = make_world(site, settings, tables, mornings_of(tables, nights, last_day=last_day))
    said = f"settings: {'; '.join(differences(settings, site.settings)) or 'as they are set'}"
    console.print(said, markup=False)
    try:
        made, days = Replay(world, build).run(_Progress(console, nights))
    finally:
        EmbeddedPostgres(world.site.home.postgres).stop()
    table, summary = replay_table(made, days), summarise(made, days, settings.evaluation)
    lines = [said, *summary_lines(made, summary)]
    console.print(table)
    for line in lines[1:]:
        console.print(line, markup=False)
    _keep(world, table, lines, made, days, summary)
    console.print(f"kept in {world.root}", markup=False, soft_wrap=True)


class _Progress:
    """A line a night, with an estimate of what is left."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total = console, total
        self._done = self._made = 0
        self._started = time.monotonic()

    def __call__(self, night: Night, found: bool) -> None:
        self._done += 1
        self._made += not found
        spent = time.monotonic() - self._started
        left = (self._total - self._done) * spent / self._made / 60 if self._made else 0.0
        how = "kept from before" if found else f"{night.seconds:.0f} s"
        self._console.print(
            f"{night.morning:%Y-%m-%d}: {night.outcome}, {how}; {self._done} of {self._total}, {left:.0f} min left"
        )


def replay_table(nights: Sequence[Night], days: Sequence[Day]) -> Table:
    """A row a night."""
    table = Table(title=f"{len(nights)} nights, and the day after each", title_justify="left")
    table.add_column("night", no_wrap=True)
    table.add_column("new decisions / users / videos", justify="right", max_width=16)
    table.add_column("verdict", ratio=1, overflow="fold")
    table.add_column("users judged", justify="right", max_width=6)
    table.add_column("live", no_wrap=True)
    table.add_column("users asked on the day", justify="right", max_width=10)
    for metric in METRICS:
        table.add_column(metric, justify="right", no_wrap=True)
    for night, day in zip(nights, days, strict=True):
        arrived = night.arrived
        table.add_row(
            f"{night.morning:%Y-%m-%d}",
            f"{arrived.decisions:,} / {arrived.users} / {arrived.videos}",
            "; ".join((night.outcome, *(refusal.reason for refusal in night.refusals))),
            "–" if night.judged_users is None else str(night.judged_users),
            night.live or "nothing",
            f"{day.users} of {day.deciding}",
            *(" / ".join(_mean(day, method, metric) for method in _METHODS) for metric in METRICS),
        )
    return table


def summary_lines(nights: Sequence[Night], summary: Summary) -> Iterator[str]:
    """What the table comes to."""
    yield f"A day asks for the second half of what each person decided on it. Figures: {' / '.join(_METHODS)}."
    yield f"{len(nights)} nights: " + ", ".join(f"{count} {outcome}" for outcome, count in summary.outcomes.items())
    for question, count in sorted(summary.questions.items(), key=lambda item: -item[1]):
        yield f"  {count} refused by the question: {question}"
    if not summary.user_days:
        yield "Nobody could be asked since a first release: there is nothing to compare."
        return
    later = summary.other_user_days
    yield f"{summary.user_days} user-days since the first release, on {later} of which a later one was live:"
    for metric, gain in summary.gains.items():
        means = ", ".join(f"{summary.metrics[method][metric].mean:.4f} {method}" for method in _METHODS)
        yield f"  {metric}: {means}; live minus never retrained {gain.mean:+.4f} [{gain.low:+.4f} {gain.high:+.4f}]"


def _mean(day: Day, method: str, metric: str) -> str:
    values = day.values.get(method, {}).get(metric, ())
    return f"{sum(values) / len(values):.3f}" if values else "–"


def _keep(
    world: World, table: Table, lines: Sequence[str], nights: Sequence[Night], days: Sequence[Day], summary: Summary
) -> None:
    told = (as_markdown(table), "", *(f"- {line.strip()}" for line in lines))
    write_text(world.root / "replay.md", "\n".join(told))
    document = {
        "settings": lines[0],
        "summary": summary.model_dump(mode="json"),
        "nights": [night.model_dump(mode="json") for night in nights],
        "days": [day.model_dump(mode="json") for day in days],
    }
    write_text(world.root / "replay.json", json.dumps(document, indent=1))
