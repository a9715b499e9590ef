"""A comparison of two versions in the terminal, or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.comparing.measured import measure
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.evaluation.paired.compare import FIRST, METRICS
from two_tower_assets.evaluation.paired.page import render
from two_tower_assets.evaluation.paired.records import ChangedList, Comparison, Group
from two_tower_assets.evaluation.paired.surely import claimed_lines, signed
from two_tower_assets.home import write_text
from two_tower_assets.publishing.listing import find_details


def print_comparison(site: Site, before: str, after: str | None, *, as_json: bool, page: Path | None) -> None:
    """Compare two versions and print what came of it.

    Args:
        site: where both are.
        before: one model version.
        after: the other; default: the live one.
        as_json: print one JSON document instead of tables.
        page: where to write it as a page, too.
    """
    comparison = measure(site, before, after or find_details(site.serving_url).model_version)
    if page:
        write_text(page, render(comparison))
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
    return f"{means}\n{signed(group.difference[metric])}"


def _words(comparison: Comparison) -> Iterator[str]:
    """Say for whom a difference is more than chance, and show lists that changed."""
    yield from claimed_lines(comparison.groups)
    yield f"Of a person's first {FIRST} videos, {comparison.same.mean:.0%} are the same."
    for changed in comparison.changed:
        yield ""
        yield f"{changed.user_id} liked {_named(changed.liked, changed, comparison.titles)} afterwards."
        for version, videos in ((comparison.before, changed.before), (comparison.after, changed.after)):
            yield f"  {version}: {_named(videos, changed, comparison.titles)}"


def _named(videos: tuple[str, ...], changed: ChangedList, titles: Mapping[str, str]) -> str:
    """Titles, those that were liked afterwards with a star."""
    return ", ".join(f"{titles.get(video, video)}{'*' if video in changed.liked else ''}" for video in videos)
