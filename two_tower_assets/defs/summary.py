"""What a person reads at the end of a run, and the recommendations of one user, as tables in the terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.code import STAGES
from two_tower_assets.defs.inputs import report_of
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.store import Made
from two_tower_assets.defs.tables import TABLE_WIDTH, report_tables, verdict_lines
from two_tower_assets.evaluation.gate import judge
from two_tower_assets.publishing.registry import live_release
from two_tower_assets.sources.snapshot import open_snapshot


def print_summary(site: Site, *, started_at: datetime, peak_mib: float) -> None:
    """Say what was made, where it lies, how good it is and what to do next."""
    console = Console(highlight=False, width=TABLE_WIDTH)
    for table in (_made(site, started_at), *_metrics(site)):
        console.print(table)
    seconds = (datetime.now(UTC) - started_at).total_seconds()
    limit = site.settings.resources.memory_limit_mib
    over = f", more than resources.memory_limit_mib = {limit}" if peak_mib > limit else ""
    console.print(f"{seconds:.0f} s, at most {peak_mib:,.0f} MiB in one process{over}.")
    console.print(f"MODEL_ARTIFACT_BASE_URL={site.target.buckets.base_url}", markup=False, soft_wrap=True)
    data = f" DATA={site.origin.folder}" if site.origin.folder else ""
    console.print(f"The graph and its history: make ui{data}    Stop the embedded Postgres: make down")


def print_evaluation(site: Site) -> None:
    """Print what the evaluation found, trial by trial, and what the gate says of it."""
    console = Console(highlight=False, width=TABLE_WIDTH)
    report = report_of(site, site.store.load("evaluation/report"))
    for table in report_tables(report):
        console.print(table)
    for line in verdict_lines(judge(report, site.settings.gate)):
        console.print(line, markup=False)
    page = site.store.load("evaluation/page")
    console.print(f"The report's page: {page.path(site.home, page.facts['page'])}", markup=False, soft_wrap=True)


def print_recommendations(site: Site, user_id: str, limit: int) -> None:
    """Print the undecided videos nearest to a user's vector, as of the data's cut-off."""
    from two_tower_assets.publishing.recommend import recommend

    videos = site.store.load("sources/videos")
    as_of = datetime.now(UTC) if site.origin.is_live else open_snapshot(videos.folder(site.home)).cutoff
    answer = recommend(site.serving_url, site.home.artifacts, user_id, limit=limit, as_of=as_of)
    stats = answer.payload.decision_stats
    table = Table(
        title=f"{user_id}: {stats.like_count} likes, {stats.nope_count} nopes; version {answer.model_version}",
        title_justify="left",
    )
    for column in ("similarity", "title", "maker", "video"):
        table.add_column(column)
    for item in answer.items:
        table.add_row(f"{item.similarity:.3f}", item.title or "", item.maker or "", item.video_id)
    Console(highlight=False).print(table)


def _made(site: Site, started_at: datetime) -> Table:
    table = Table(title=f"What was made from {site.origin.label}{_rows(site)}", title_justify="left")
    for column in ("stage", "made now", "unchanged"):
        table.add_column(column)
    table.add_column("where", no_wrap=True)
    by_stage: dict[str, list[Made]] = {stage: [] for stage in STAGES}
    for made in site.store.all():
        by_stage[made.asset.partition("/")[0]].append(made)
    for stage, records in by_stage.items():
        now = [made for made in records if made.made_at >= started_at]
        unchanged = [made for made in records if made.made_at < started_at]
        table.add_row(stage, _nouns(now), _nouns(unchanged), _where(site, records))
    live = live_release(site.serving_url)
    table.add_section()
    table.add_row("live", live.model_version if live else "nothing", "", "public.live_release")
    return table


def _rows(site: Site) -> str:
    made = (site.store.latest(f"sources/{noun}") for noun in ("decisions", "videos", "profiles"))
    counts = [f"{record.facts['rows']:,} {record.asset.partition('/')[2]}" for record in made if record]
    return f" ({', '.join(counts)})" if counts else ""


def _nouns(records: Sequence[Made]) -> str:
    return ", ".join(made.asset.partition("/")[2] for made in records)


def _where(site: Site, records: Sequence[Made]) -> str:
    """The snapshot's and the version's folders that a stage wrote to, or the database."""
    roots = sorted({Path(*made.root.parts[:2]) for made in records if made.files})
    return "\n".join(os.path.relpath(site.home.root / root) for root in roots) or f"database {site.origin.dataset}"


def _metrics(site: Site) -> tuple[Table, ...]:
    made = site.store.latest("evaluation/report")
    return () if made is None else report_tables(report_of(site, made))
