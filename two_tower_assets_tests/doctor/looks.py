"""What a look found, in few words, and noted for whoever reads the tests' output."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from two_tower_assets.doctor.finding import Finding, Level
from two_tower_assets_tests.seen import SEEN

Record = Callable[[str, object], None]


def levels(findings: Iterable[Finding]) -> list[Level]:
    """The levels, in order; whatever is wrong must say what to do."""
    found = list(findings)
    assert all(finding.remedy for finding in found if finding.level in {"warning", "problem"})
    return [finding.level for finding in found]


def only(findings: Iterable[Finding]) -> Finding:
    """The one finding."""
    (finding,) = findings
    return finding


def note(record_property: Record, setup: str, *findings: Finding) -> None:
    """Note what was said of a set-up."""
    for finding in findings:
        remedy = f" → {finding.remedy}" if finding.remedy else ""
        record_property(SEEN, f"doctor, {setup}: {finding.level}: {finding.what}{remedy}")
