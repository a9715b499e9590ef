from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.document import render
from two_tower_assets_tests.evaluation.page.pages import full, minimal

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A headless Chromium of this machine."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no Chromium on the PATH")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(360, 740), (1280, 900)], ids=["phone", "desk"])
@pytest.mark.parametrize("page", [full(), minimal()], ids=["full", "minimal"])
def test_it_reads_on_a_phone_and_works_offline(
    browser: object, tmp_path: Path, page: PageData, size: tuple[int, int], scheme: str
) -> None:
    """Nothing is wider than the screen, nothing is asked of the network, and nothing goes wrong."""
    file = tmp_path / "report.html"
    file.write_text(render(page), encoding="utf-8")
    width, height = size
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    wrong: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: wrong.append(message.text))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert wrong == []
    assert asked == [file.as_uri()]
    tab.close()


def test_pointing_at_a_video_shows_its_title(browser: object, tmp_path: Path) -> None:
    """The tip appears with the title as text."""
    file = tmp_path / "report.html"
    file.write_text(render(full()), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(file.as_uri())
    chart = tab.locator("#map svg.map")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    # The first point lies at (0, 0) of a square of 1000 within one of 1040, y upwards.
    tab.mouse.move(box["x"] + box["width"] * 20 / 1040, box["y"] + box["height"] * 1020 / 1040)
    tip = tab.locator("#map .map-tip")
    tip.wait_for(state="visible", timeout=5000)
    assert 'alert("x")' in tip.inner_text()
    tab.close()
