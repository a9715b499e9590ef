"""Take pictures of a report page: its first screen and every section, on a phone and on a desk, light and dark.

Run by `make pictures PAGE=<file>`. Drives the Chromium that is on the PATH and writes PNG files into the folder
given as the second argument.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Literal

from browser import chromium
from playwright.sync_api import Browser, ViewportSize

SIZES: dict[str, ViewportSize] = {"phone": {"width": 360, "height": 740}, "desk": {"width": 1280, "height": 900}}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main(page: Path, folder: Path) -> None:
    """Write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for size, scheme in product(SIZES, SCHEMES):
            _pictures(browser, page, folder, size, scheme)
    print(folder)


def _pictures(browser: Browser, file: Path, folder: Path, size: str, scheme: Literal["light", "dark"]) -> None:
    page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)
    page.goto(file.resolve().as_uri())
    page.screenshot(path=folder / f"{size}-{scheme}-0-top.png")
    # It stays on top while the page scrolls, over the pictures of long sections too.
    page.add_style_tag(content="nav { display: none }")
    for number, section in enumerate(page.locator("section").all(), start=1):
        section.screenshot(path=folder / f"{size}-{scheme}-{number}-{section.get_attribute('id')}.png")
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
