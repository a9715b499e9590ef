"""All faults, in the order in which they happen."""

from __future__ import annotations

from typing import Final

from two_tower_assets_tests.e2e.faults import of_artifacts, of_callers, of_database
from two_tower_assets_tests.e2e.faults.case import Case

CASES: Final[tuple[Case, ...]] = (*of_artifacts.CASES, *of_database.CASES, *of_callers.CASES)
