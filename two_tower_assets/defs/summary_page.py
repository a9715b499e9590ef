"""What a run of CI came to, for a person who reads nothing else: figures, verdict, and how far it was published.

Only records and files of the home are read; no server is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click
from rich.console import Console

from two_tower_assets.defs.inputs import curves_of, report_of
from two_tower_assets.defs.publication import publication_lines
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH, as_markdown, report_tables, verdict_lines
from two_tower_assets.evaluation.gate import judge
from two_tower_assets.evaluation.mermaid import loss_chart, methods_chart
from two_tower_assets.evaluation.report import NDCG, RECALL, Report
from two_tower_assets.evaluation.trials import GLOBAL


def print_page(site: Site, *, markdown: bool) -> None:
    """Print it, as tables in the terminal or as Markdown."""
    if markdown:
        click.echo("\n\n".join(_blocks(site)))
        return
    console = Console(highlight=False, width=TABLE_WIDTH)
    report = _report(site)
    for table in report_tables(report) if report else ():
        console.print(table)
    for line in (*_verdict(site, report), *publication_lines(site)):
        console.print(line, markup=False, soft_wrap=True)


def _blocks(site: Site) -> Iterator[str]:
    report = _report(site)
    yield f"## Two towers from {site.origin.kind}"
    yield _list(publication_lines(site))
    if report is not None:
        yield from (as_markdown(table) for table in report_tables(report))
        yield from _plots(site, report)
    yield _list(_verdict(site, report))


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line.strip()}" for line in lines)


def _report(site: Site) -> Report | None:
    made = site.store.latest("evaluation/report")
    return None if made is None else report_of(site, made)


def _verdict(site: Site, report: Report | None) -> Iterator[str]:
    if report is None:
        yield "Nothing was evaluated."
        return
    yield from verdict_lines(judge(report, site.settings.gate))


def _plots(site: Site, report: Report) -> Iterator[str]:
    trial = report.trial(GLOBAL)
    group = trial.groups.get(trial.judged)
    if group is not None:
        yield from (methods_chart(group, metric) for metric in (NDCG, RECALL))
    yield loss_chart(curves_of(site, site.store.load("training/evaluated_checkpoint")))
