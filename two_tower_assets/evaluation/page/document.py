"""The page as one file: it loads nothing, and a content policy of its own forbids it to."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from two_tower_assets.contract import Files
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import minute
from two_tower_assets.evaluation.page.markup import Child, Html, element, join
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
        join("Report on model ", element("code", page.model_version)),
        f"{page.data.label} · preset {page.report.preset} · decisions before {minute(page.data.cutoff)}",
        [(key, name, write(page)) for key, name, write in SECTIONS],
    )


def framed(title: str, heading: Child, lead: Child, sections: Sequence[tuple[str, str, Child]]) -> str:
    """Write a whole page around its sections: looks, navigation, policy.

    Args:
        title: of the browser's window.
        heading: of the page.
        lead: below it.
        sections: key, name in the navigation, and content of each.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", _resource("page.css"), _resource("charts.css")),
    )
    links = [element("li", element("a", name, href=f"#{key}")) for key, name, _ in sections]
    first, name, _ = sections[0]
    body = element(
        "body",
        element("a", f"Skip to the {name.lower()}", href=f"#{first}", class_="skip"),
        element("header", element("h1", heading), element("p", lead)),
        element("nav", element("ul", links), aria_label="Sections"),
        element("main", [content for _, _, content in sections]),
        element("div", id="tip", role="status", hidden=True),
        element("script", _resource("page.js")),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _resource(name: str) -> Html:
    return join(Html(files(__package__).joinpath(name).read_text(encoding="utf-8")))
