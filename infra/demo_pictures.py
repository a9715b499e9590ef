"""Use the demo page of a running stack as a person does, and take pictures: like three videos, see a change.

Run by `make demo-pictures`. Drives the Chromium that is on the PATH at the URL given as first argument, writes PNG
files into the folder given as the second, and says how the list changed. The three LIKEs stay, as a person's would.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from browser import chromium
from playwright.sync_api import Error, Page, ViewportSize

LIKES = 3
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


def main(url: str, folder: Path) -> None:
    """Write the pictures and print the change."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = browser.new_page(viewport=DESK, reduced_motion="reduce")
        lists: list[dict[str, float]] = []
        page.on("response", lambda response: _keep(lists, response))
        _open(page, f"{url}/demo")
        _settled(page)
        page.screenshot(path=folder / "1-before.png", full_page=True)
        liked = [_like(page) for _ in range(LIKES)]
        page.screenshot(path=folder / "2-after-three-likes.png", full_page=True)
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=folder / "3-phone-dark.png")
    print(_change(lists[0], lists[-1], liked))
    print(folder)


def _open(page: Page, url: str) -> None:
    try:
        page.goto(url)
    except Error:
        sys.exit(f"Nothing answers at {url}. Start the local stack first: make up")


def _keep(lists: list[dict[str, float]], response: Any) -> None:
    if "ai-recommend" in response.url and response.ok and response.request.method == "POST":
        items = response.json()["items"]
        lists.append({item["video"]["id"]: item["similarity"] for item in items if item["source"] == "model"})


def _settled(page: Page) -> None:
    page.wait_for_selector("#list .card[data-id]")
    page.wait_for_selector("#likes .liked[data-id], #likes .empty")


def _like(page: Page) -> str:
    card = page.locator(".card").first
    video = str(card.get_attribute("data-id"))
    card.locator("button.like").click()
    page.wait_for_function("video => !document.querySelector(`.card[data-id='${video}']`)", arg=video)
    _settled(page)
    return video


def _change(before: dict[str, float], after: dict[str, float], liked: list[str]) -> str:
    both = [video for video in before if video in after]
    order = [video for video in after if video in before]
    moved = sum(one != other for one, other in zip(both, order, strict=True))
    largest = max((abs(before[video] - after[video]) for video in both), default=0.0)
    listed = len(set(liked) & set(after))
    return (
        f"{len(liked)} liked, {listed} of them still listed; of {len(both)} videos that are in both lists "
        f"{moved} changed places, and similarities changed by up to {largest:.3f}"
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
