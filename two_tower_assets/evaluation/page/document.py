"""The page as one file: it loads nothing, and a content policy of its own forbids it to."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from two_tower_assets.contract import Files
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import minute
from two_tower_assets.evaluation.page.markup import Html, element, join
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

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)

SECTIONS: Final = (
    ("verdict", "Verdict", verdict),
    ("comparison", "Comparison", comparison),
    ("figures", "All figures", figures),
    ("segments", "Segments", segments),
    ("newcomers", "New users, new videos", newcomers),
    ("liking", "Liked or looked at", liking),
    ("learning", "Learning", learning),
    ("exposure", "Exposure", exposing),
    ("map", "Map", mapping),
    ("people", "Ten users", persons),
    ("data", "Data and settings", data_and_settings),
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
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Model {page.model_version}: {'passed' if page.verdict.passed else 'refused'}"),
        element("style", _resource("page.css")),
    )
    return f"<!doctype html>\n{element('html', head, _body(page), lang='en')}\n"


def _body(page: PageData) -> Html:
    links = [element("li", element("a", name, href=f"#{key}")) for key, name, _ in SECTIONS]
    return element(
        "body",
        element("a", "Skip to the verdict", href="#verdict", class_="skip"),
        element(
            "header",
            element("h1", "Report on model ", element("code", page.model_version)),
            element(
                "p", f"{page.data.label} · preset {page.report.preset} · decisions before {minute(page.data.cutoff)}"
            ),
        ),
        element("nav", element("ul", links), aria_label="Sections"),
        element("main", [write(page) for _, _, write in SECTIONS]),
        element("div", id="tip", role="status", hidden=True),
        element("script", _resource("page.js")),
    )


def _resource(name: str) -> Html:
    return join(Html(files(__package__).joinpath(name).read_text(encoding="utf-8")))
