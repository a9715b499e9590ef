"""A comparison of two versions in the terminal, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.comparing.measured import measure
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.paired.compare import FIRST, METRICS
from two_tower_assets.evaluation.paired.records import ChangedList, Comparison, Group
from two_tower_assets.publishing.listing import find_details

_FEWEST: Final = 30
"""Users of a group of whom something is claimed."""


def print_comparison(site: Site, before: str, after: str | None, *, as_json: bool) -> None:
    """Compare two versions and print what came of it.

    Args:
        site: where both are.
        before: one model version.
        after: the other; default: the live one.
        as_json: print one JSON document instead of tables.
    """
    comparison = measure(site, before, after or find_details(site.serving_url).model_version)
    if as_json:
        click.echo(comparison.model_dump_json(indent=1))
        return
    console = Console(highlight=False, width=TABLE_WIDTH)
    console.print(_table(comparison))
    for line in _words(comparison):
        console.print(line, markup=False, soft_wrap=True)


def _table(comparison: Comparison) -> Table:
    when = f"{comparison.begin:%Y-%m-%d} to {comparison.end:%Y-%m-%d}"
    title = f"{comparison.before} → {comparison.after}, asked about {when}"
    table = Table(title=title, title_justify="left")
    table.add_column("users")
    table.add_column("", justify="right")
    for metric in METRICS:
        table.add_column(metric, justify="right")
    table.add_column("more / fewer found", justify="right")
    for group in comparison.groups:
        figures = (_figure(group, metric) for metric in METRICS)
        table.add_row(group.name, f"{group.users:,}", *figures, f"{group.better:.0%} / {group.worse:.0%}")
    return table


def _figure(group: Group, metric: str) -> str:
    if metric not in group.difference:
        return "–"
    means = f"{group.before[metric].mean:.4f} → {group.after[metric].mean:.4f}"
    return f"{means}\n{_signed(group.difference[metric])}"


def _signed(difference: Interval) -> str:
    low, high = difference.low or 0.0, difference.high or 0.0
    return f"{difference.mean:+.4f} [{low:+.4f} {high:+.4f}]"


def _words(comparison: Comparison) -> Iterator[str]:
    """Say for whom a difference is more than chance, and show lists that changed."""
    told = [line for group in comparison.groups for line in _told(group)]
    yield from told or ["No difference can be told from chance."]
    yield f"Of a person's first {FIRST} videos, {comparison.same.mean:.0%} are the same."
    for changed in comparison.changed:
        yield ""
        yield f"{changed.user_id} liked {_named(changed.liked, changed, comparison.titles)} afterwards."
        for version, videos in ((comparison.before, changed.before), (comparison.after, changed.after)):
            yield f"  {version}: {_named(videos, changed, comparison.titles)}"


def _told(group: Group) -> Iterator[str]:
    if group.users < _FEWEST:
        return
    for metric, difference in group.difference.items():
        if difference.low is None or difference.high is None or difference.low <= 0 <= difference.high:
            continue
        yield f"{group.name}: {metric} {_signed(difference)} over {group.users:,} users, more than chance."


def _named(videos: tuple[str, ...], changed: ChangedList, titles: Mapping[str, str]) -> str:
    """Titles, those that were liked afterwards with a star."""
    return ", ".join(f"{titles.get(video, video)}{'*' if video in changed.liked else ''}" for video in videos)
