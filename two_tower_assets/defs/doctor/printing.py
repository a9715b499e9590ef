"""`two-tower doctor`: a line a finding with its remedy below, or all of them as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from two_tower_assets.defs.doctor.site_checks import all_checks
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.doctor.examination import examine
from two_tower_assets.doctor.finding import Finding, Level

_MARKS: Final[dict[Level, str]] = {"ok": "✓", "warning": "!", "problem": "✗", "unused": "–"}


def print_examination(data: Path | None, *, fix: bool, as_json: bool) -> bool:
    """Look at everything, print what was found, and return whether there is no problem left."""
    found = Counter[Level]()
    console = Console(highlight=False, width=TABLE_WIDTH)
    findings = []
    for name, finding in examine(all_checks(data), fix=fix):
        found[finding.level] += 1
        findings.append(_as_object(name, finding))
        if not as_json:
            for line in _lines(name, finding):
                console.print(line, markup=False, soft_wrap=True)
    if as_json:
        click.echo(json.dumps(findings, ensure_ascii=False, indent=2))
    else:
        console.print(f"{found['problem']} problems, {found['warning']} warnings.")
    return not found["problem"]


def _lines(name: str, finding: Finding) -> Iterator[str]:
    place = f" [{finding.where}]" if finding.where else ""
    yield f"{_MARKS[finding.level]} {name:<18} {finding.what}{place}"
    if finding.done:
        yield f"  {'':<18} done: {finding.done}"
    elif finding.remedy:
        yield f"  {'':<18} → {finding.remedy}"


def _as_object(name: str, finding: Finding) -> dict[str, str | None]:
    return {
        "check": name,
        "level": finding.level,
        "what": finding.what,
        "where": finding.where,
        "remedy": finding.remedy,
        "done": finding.done,
    }
