"""The report's page: its sections in their order."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from two_tower_assets.contract import Files
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import minute
from two_tower_assets.evaluation.page.frame import framed
from two_tower_assets.evaluation.page.markup import element
from two_tower_assets.evaluation.page.sections.comparison import comparison
from two_tower_assets.evaluation.page.sections.exposing import exposing
from two_tower_assets.evaluation.page.sections.facts import data_and_settings
from two_tower_assets.evaluation.page.sections.figures import figures
from two_tower_assets.evaluation.page.sections.gaps import missing_measures
from two_tower_assets.evaluation.page.sections.learning import learning
from two_tower_assets.evaluation.page.sections.liking import liking
from two_tower_assets.evaluation.page.sections.mapping import mapping
from two_tower_assets.evaluation.page.sections.newcomers import newcomers
from two_tower_assets.evaluation.page.sections.persons import persons
from two_tower_assets.evaluation.page.sections.segments import segments
from two_tower_assets.evaluation.page.sections.verdict import verdict
from two_tower_assets.home import write_text

PAGE_FILE: Final = Files.REPORT
DATA_FILE: Final = "report_page.json"

SECTIONS: Final = (
    ("verdict", "Verdict", verdict),
    ("comparison", "Comparison", comparison),
    ("figures", "Figures", figures),
    ("segments", "Segments", segments),
    ("newcomers", "New users, videos", newcomers),
    ("liking", "Liking", liking),
    ("learning", "Learning", learning),
    ("exposure", "Exposure", exposing),
    ("map", "Map", mapping),
    ("people", "People", persons),
    ("data", "Data", data_and_settings),
    ("gaps", "Not measured", missing_measures),
)
"""Key, name in the navigation, and the function that writes it."""


def write_page(page: PageData, folder: Path) -> Path:
    """Write the page and its data beside each other, and return the page's path."""
    write_text(folder / DATA_FILE, page.model_dump_json(indent=1))
    write_text(folder / PAGE_FILE, render(page))
    return folder / PAGE_FILE


def render(page: PageData) -> str:
    """Write the page; the same data give the same bytes."""
    return framed(
        f"Model {page.model_version}: {'passed' if page.verdict.passed else 'refused'}",
        element("h1", "Report on model ", element("code", page.model_version)),
        f"{page.data.label} · preset {page.report.preset} · decisions before {minute(page.data.cutoff)}",
        [(key, name, write(page)) for key, name, write in SECTIONS],
    )
