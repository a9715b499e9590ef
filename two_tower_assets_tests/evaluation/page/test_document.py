from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.document import SECTIONS, render
from two_tower_assets_tests.evaluation.page.pages import EVIL, full, minimal

VOID = {"br", "col", "hr", "input", "link", "meta"}


class Reader(HTMLParser):
    """Remembers what is open, what was loaded, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"]] if values.get("id") else []
        self.loaded += [values[name] for name in ("src", "href", "action") if values.get(name)]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: PageData) -> Reader:
    reader = Reader()
    reader.feed(render(page))
    reader.close()
    return reader


@pytest.mark.parametrize("page", [full(), minimal()], ids=["full", "minimal"])
def test_the_page_is_whole_and_loads_nothing(page: PageData) -> None:
    """Every element is closed, ids are unique, links stay on the page, and no style asks for a file."""
    reader = read(page)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert {key for key, _, _ in SECTIONS} <= set(reader.ids)
    assert all(target.startswith("#") for target in reader.loaded)
    assert not re.search(r"url\(|@import", render(page))


def test_titles_cannot_break_out_of_their_place() -> None:
    """A title with markup, quotes and a script is shown as it is written, and one script runs: the page's own."""
    text = render(full())
    assert text.count("<script>") == 1
    assert text.count("<script") == 2, "the code and the map's points"
    assert "<script>alert" not in text
    assert any(EVIL in part for part in read(full()).text)


def test_what_a_reader_needs_is_there() -> None:
    """The verdict and its questions, methods, people, what was changed, and what was not measured."""
    text = " ".join(read(full()).text)
    for word in (
        "Passed",
        "EASE" if "ease" in full().report.trials["global"].groups["known"].metrics else "Two towers",
    ):
        assert word in text
    for word in ("0123abcd", "no logQ correction", "implicit is not installed", "no LIKE of a candidate", "drama"):
        assert word in text


def test_a_refusal_says_why() -> None:
    """In the words of the gate."""
    text = " ".join(read(minimal()).text)
    assert "Refused" in text
    assert "evaluation.test_quantile" in text
    assert "obody was asked" in text


def test_the_same_data_give_the_same_bytes() -> None:
    """Also after a way through JSON."""
    page = full()
    assert render(page) == render(PageData.model_validate_json(page.model_dump_json()))
