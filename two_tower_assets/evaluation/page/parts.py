"""Pieces that several sections share: the section itself, tables in a box that scrolls, figures, pills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.page.formats import MISSING, ends, figure, signed
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.reading import STANDINGS, Standing


@dataclass(frozen=True)
class Column:
    """A column's heading."""

    head: Child
    look: str = ""
    """Class of all its cells."""
    tip: str | None = None


@dataclass(frozen=True)
class Row:
    """A row: its heading and one cell a further column."""

    head: Child
    cells: Sequence[Child]
    look: str = ""


def section(key: str, title: str, lead: Child, *content: Child) -> Html:
    """A part of the page that the navigation leads to."""
    heading = element("h2", title, id=f"{key}-title")
    intro = element("p", lead, class_="lead") if lead else None
    return element("section", heading, intro, content, id=key, aria_labelledby=f"{key}-title")


def table(
    caption: str, columns: Sequence[Column], rows: Iterable[Row], *, foot: Row | None = None, look: str = ""
) -> Html:
    """A table that scrolls inside its own box where the screen is narrower.

    Args:
        caption: what it shows, in words.
        columns: the first one is of the rows' headings.
        rows: the body.
        foot: the last row, for example an axis.
        look: class of the table.
    """
    heads = [
        element("th", column.head, scope="col", class_=column.look or None, data_tip=column.tip) for column in columns
    ]
    body = [_row(row, columns) for row in rows]
    content = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", heads)),
        element("tbody", body),
        element("tfoot", _row(foot, columns)) if foot else None,
        class_=look or None,
    )
    return element("div", content, class_="scroll", tabindex="0", role="region", aria_label=caption)


def figure_box(title: str, *content: Child, caption: Child = None) -> Html:
    """A chart with its title and what to see in it."""
    words = element("figcaption", element("strong", title), element("span", caption) if caption else None)
    return element("figure", words, content)


def pair(*content: Child) -> Html:
    """Put things side by side where there is room."""
    return element("div", content, class_="pair")


def details(summary: Child, *content: Child, is_open: bool = False) -> Html:
    """Content that is folded away."""
    return element("details", element("summary", summary), content, open=is_open)


def missing(*reason: Child) -> Html:
    """Say why there is nothing to see."""
    return element("p", reason, class_="missing")


def quiet(*words: Child) -> Html:
    """Small grey words."""
    return element("span", words, class_="quiet")


def pill(standing: Standing) -> Html:
    """How the towers stand, by sign, words and colour."""
    sign, words = STANDINGS[standing]
    return element(
        "span", element("span", sign, aria_hidden="true") if sign else None, f" {words}", class_=f"pill {standing}"
    )


def measured(interval: Interval | None) -> Html:
    """A figure above the ends of its interval."""
    if interval is None:
        return element("span", MISSING, aria_label="not measured")
    return element("span", figure(interval.mean), _ends(ends(interval)), class_="measured")


def difference(interval: Interval | None) -> Html:
    """A difference above the ends of its interval."""
    if interval is None:
        return element("span", MISSING, aria_label="not measured")
    return element("span", signed(interval.mean), _ends(ends(interval, sign=True)), class_="measured")


def facts(values: Mapping[str, Child]) -> Html:
    """Terms and their values."""
    return element(
        "dl", [element("div", element("dt", term), element("dd", value)) for term, value in values.items()]
    )


def title(words: str) -> Html:
    """Somebody else's words, of whatever script and direction."""
    return element("bdi", words)


def _ends(words: str) -> Html | None:
    return element("small", words) if words else None


def _row(row: Row, columns: Sequence[Column]) -> Html:
    assert len(row.cells) == len(columns) - 1
    cells = [
        element("td", cell, class_=column.look or None) for cell, column in zip(row.cells, columns[1:], strict=True)
    ]
    return element("tr", element("th", row.head, scope="row"), cells, class_=row.look or None)
