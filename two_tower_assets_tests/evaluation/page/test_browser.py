from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from two_tower_assets.evaluation.page.document import write_page
from two_tower_assets_tests.evaluation.page.browser import Watched, chromium
from two_tower_assets_tests.evaluation.page.pages import HOSTILE, empty_page, full_page, sparse_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(full_page(), tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(sparse_page(), tmp_path_factory.mktemp("sparse"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(empty_page(), tmp_path_factory.mktemp("empty"))


def opened(browser: Browser, file: Path, **context: Any) -> Watched:
    watched = Watched(browser.new_context(**context).new_page())
    watched.open(file)
    return watched


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("name", ["full", "sparse", "empty"])
def test_the_page_fits_the_screen_and_asks_for_nothing_but_itself(
    browser: Browser, request: pytest.FixtureRequest, name: str, size: Any
) -> None:
    """With everything unfolded: no sideways scroll, no request besides the file, nothing in the console."""
    file = request.getfixturevalue(name)
    watched = opened(browser, file, viewport=size)
    watched.page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watched.requests == [file.as_uri()]
    assert watched.complaints == []


def test_pointing_at_the_map_shows_a_title(browser: Browser, full: Path) -> None:
    watched = opened(browser, full, viewport=DESK)
    watched.page.locator("svg.map").scroll_into_view_if_needed()
    box = watched.page.locator("svg.map").bounding_box()
    point = full_page().video_map.points[0]  # type: ignore[union-attr]
    assert box is not None
    left, top = (20 + 1000 * point.x) / 1040, (20 + 850 * (1 - point.y)) / 890
    watched.page.mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
    assert watched.page.locator(".map-tip strong").inner_text() == HOSTILE
    assert watched.page.locator(".chosen line").count() == 3
    watched.page.mouse.move(1, 1)
    assert watched.page.locator(".map-tip").is_hidden()


def test_tapping_the_map_on_a_phone_shows_a_title_below_it(browser: Browser, full: Path) -> None:
    watched = opened(browser, full, viewport=PHONE, has_touch=True)
    watched.page.locator("svg.map").scroll_into_view_if_needed()
    box = watched.page.locator("svg.map").bounding_box()
    assert box is not None
    point = full_page().video_map.points[7]  # type: ignore[union-attr]
    left, top = (20 + 1000 * point.x) / 1040, (20 + 850 * (1 - point.y)) / 890
    watched.page.touchscreen.tap(box["x"] + left * box["width"], box["y"] + top * box["height"])
    tip = watched.page.locator(".map-tip strong")
    assert tip.inner_text() == point.title
    below = tip.bounding_box()
    assert below is not None
    assert below["y"] >= box["y"] + box["height"]


def test_arrow_keys_walk_over_the_map(browser: Browser, full: Path) -> None:
    """Four steps to the right show growing places; Escape ends the walk."""
    watched = opened(browser, full, viewport=DESK)
    watched.page.locator("svg.map").focus()
    places = []
    for _ in range(4):
        watched.page.keyboard.press("ArrowRight")
        places.append(float(watched.page.locator(".chosen circle").get_attribute("cx") or 0))
    assert places == sorted(set(places))
    watched.page.keyboard.press("Escape")
    assert watched.page.locator(".map-tip").is_hidden()


def test_a_tag_of_the_legend_brings_its_points_to_the_front(browser: Browser, full: Path) -> None:
    watched = opened(browser, full, viewport=DESK)
    button = watched.page.locator(".legend button").nth(2)
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert watched.page.locator("svg.map.lit path.up").evaluate_all(
        "paths => paths.map(p => p.className.baseVal)"
    ) == ["dot c2 up"]
    button.click()
    assert watched.page.locator("svg.map.lit").count() == 0


def test_columns_can_be_chosen(browser: Browser, full: Path) -> None:
    watched = opened(browser, full, viewport=DESK)
    shown = watched.page.locator("#figures details[open] th.found")
    assert shown.first.is_visible()
    watched.page.locator(".show-found").uncheck()
    assert not shown.first.is_visible()
    assert watched.page.locator("#figures details[open] th.spread").first.is_visible()


def test_a_chart_point_says_its_numbers_when_pointed_at(browser: Browser, full: Path) -> None:
    watched = opened(browser, full, viewport=DESK)
    watched.page.locator("#liking circle.towers").first.hover()
    assert "weight 0.5: NDCG@10 0.275" in watched.page.locator("#tip").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_of_four_and_a_half_to_one(browser: Browser, full: Path, scheme: Any) -> None:
    """WCAG 2.2, success criterion 1.4.3, over everything unfolded."""
    watched = opened(browser, full, viewport=DESK, color_scheme=scheme)
    watched.page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    assert watched.page.evaluate(CONTRAST) == []


def test_everything_is_unfolded_for_the_printer(browser: Browser, full: Path) -> None:
    watched = opened(browser, full, viewport=DESK)
    assert watched.page.locator("details:not([open])").count() > 0
    watched.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert watched.page.locator("details:not([open])").count() == 0
