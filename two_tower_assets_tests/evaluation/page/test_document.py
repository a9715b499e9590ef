from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from two_tower_assets.evaluation.page.data import LearningCurves, PageData
from two_tower_assets.evaluation.page.document import DATA_FILE, PAGE_FILE, SECTIONS, render, write_page
from two_tower_assets_tests.evaluation.page.pages import HOSTILE, VERSION, empty_page, full_page, sparse_page

VOID = {"meta", "link", "br", "hr", "input", "col"}
PAGES = {"full": full_page, "sparse": sparse_page, "empty": empty_page}


class Reader(HTMLParser):
    """Reads a page as a browser would: its texts, attributes, and whether every element is closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return render(PAGES[request.param]())


def test_every_element_is_closed_in_its_turn(page: str) -> None:
    assert page.startswith("<!doctype html>\n<html lang=")
    assert Reader(page).open == []


def test_ids_are_unique_and_links_lead_to_one(page: str) -> None:
    reader = Reader(page)
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {f"#{key}" for key in ids} >= {link["href"] for link in reader.named("a")}


def test_all_sections_are_there_in_order_with_headings_that_skip_no_level(page: str) -> None:
    reader = Reader(page)
    assert [section["id"] for section in reader.named("section")] == [key for key, _, _ in SECTIONS]
    levels = [int(name[1]) for name, _ in reader.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    """No address in any attribute or style, no element that loads, and a policy that forbids it."""
    reader = Reader(page)
    assert not {name for name, _ in reader.elements} & {"img", "link", "iframe", "object", "embed", "video", "audio"}
    for _, attributes in reader.elements:
        assert not attributes.keys() & {"src", "srcset", "action", "poster", "data"}
        assert attributes.get("href", "#").startswith("#")  # type: ignore[union-attr]
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles
    policy = next(meta["content"] for meta in reader.named("meta") if "http-equiv" in meta)
    assert policy is not None
    assert policy.startswith("default-src 'none';")


def test_charts_and_table_headings_are_named_for_those_who_do_not_see_them(page: str) -> None:
    reader = Reader(page)
    outer = [svg for svg in reader.named("svg") if "role" in svg or "aria-hidden" in svg or "viewbox" in svg]
    assert len(outer) == len(reader.named("svg"))
    assert all(svg["aria-label"] for svg in outer if svg.get("role") == "img")
    assert all(heading["scope"] in {"row", "col"} for heading in reader.named("th"))
    assert len(reader.named("caption")) == len(reader.named("table"))


def test_titles_are_shown_as_they_are_and_never_read_as_markup() -> None:
    """The hostile title is text in the people's lists and a string in the map's points; no element comes of it."""
    page = render(full_page())
    reader = Reader(page)
    assert HOSTILE in reader.text
    assert len(reader.named("script")) == 2
    assert "alert(" not in "".join(re.findall(r"<script>(.*?)</script>", page, re.DOTALL))
    assert "<b>" not in page
    assert page.count("</script>") == 2


def test_the_same_data_give_the_same_bytes() -> None:
    assert render(full_page()) == render(full_page())


def test_the_verdict_says_passed_with_every_question_its_value_and_its_bound() -> None:
    text = Reader(render(full_page())).text
    assert "Passed" in text
    assert "This model may replace what serves now: 9 of 9 questions of the gate answered yes." in text
    assert "Recall@200 beside Popular (7 days)" in text
    assert "≥ 0.612" in text
    assert "NOPE rate@10 beside Most popular" in text
    assert "≤ 0.068" in text


def test_the_summary_names_the_best_baseline_and_the_paired_difference() -> None:
    text = Reader(render(full_page())).text.replace("\u202f", " ")
    assert "92 known users liked more videos" in text
    assert "the best baseline, Popular (7 days), holds 61 %: ×1.18, a difference of +0.108" in text
    assert "(95 % interval +0.014 to +0.202), clearly better." in text


def test_a_page_without_any_measurement_is_refused_and_says_what_is_missing() -> None:
    text = Reader(render(empty_page())).text
    assert "Refused" in text
    assert "0 of 1 question of the gate answered yes" in text
    assert "the test window has no LIKE of a known user" in text
    assert "Global split: the towers were not measured." in text
    assert "The window from 2026-01-31 on has no LIKE." in text


def test_a_page_with_a_single_figure_shows_it_and_compares_it_with_nothing() -> None:
    text = Reader(render(sparse_page())).text
    assert "Are the first ten good?0.500" in text
    assert "nothing to compare with" in text
    assert "Recall@200 was not measured." in text


def test_missing_baselines_are_among_what_could_not_be_measured() -> None:
    assert "Global split, BPR: the package `implicit` is not installed" in Reader(render(full_page())).text


def test_three_thousand_points_stay_below_a_megabyte_and_a_half() -> None:
    assert len(render(full_page(videos=3000)).encode()) < 1_500_000


def test_the_data_lie_beside_the_page_and_make_the_same_page_again(tmp_path: Path) -> None:
    """Also with figures that are not finite, which JSON has no word for."""
    curves = LearningCurves(losses=(3.0, float("nan"), 2.5), validations=((10, float("inf")),))
    written = write_page(full_page().model_copy(update={"curves": curves}), tmp_path)
    assert written == tmp_path / PAGE_FILE
    read = PageData.model_validate_json((tmp_path / DATA_FILE).read_text(encoding="utf-8"))
    assert render(read) == written.read_text(encoding="utf-8")
    assert VERSION in written.read_text(encoding="utf-8")
