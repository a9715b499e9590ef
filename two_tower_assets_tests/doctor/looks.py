"""What a look found, in few words."""

from __future__ import annotations

from collections.abc import Iterable

from two_tower_assets.doctor.finding import Finding, Level


def levels(findings: Iterable[Finding]) -> list[Level]:
    """The levels, in order; whatever is wrong must say what to do."""
    found = list(findings)
    assert all(finding.remedy for finding in found if finding.level in {"warning", "problem"})
    return [finding.level for finding in found]


def only(findings: Iterable[Finding]) -> Finding:
    """The one finding."""
    (finding,) = findings
    return finding
