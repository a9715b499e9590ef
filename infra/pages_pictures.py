"""Take pictures of pages on a desk and on a phone, and fail where one complains or does not fit.

Run by `make pages` and given the folder of the pages, whose HTML files are opened one by one, and the folder of the
pictures. Drives the Chromium that is on the PATH. A page fails with anything in its console, an error of a script, a
request for anything but itself, or a sideways scroll on the phone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from browser import chromium
from playwright.sync_api import Browser, ViewportSize

SIZES: dict[str, ViewportSize] = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 740}}
WIDTHS = "[document.documentElement.scrollWidth, innerWidth]"


def main(pages: Path, folder: Path) -> None:
    """Write the pictures and print their paths; exits with 1 and what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    files = sorted(pages.glob("*.html"))
    if not files:
        sys.exit(f"There is no page in {pages}.")
    with chromium() as browser:
        wrong = [line for file in files for size in SIZES for line in _picture(browser, file, folder, size)]
    if wrong:
        sys.exit("\n".join(wrong))


def _picture(browser: Browser, file: Path, folder: Path, size: str) -> Iterator[str]:
    page = browser.new_page(viewport=SIZES[size])
    own = file.resolve().as_uri()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"the console says: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"a script fails: {error}"))
    page.on("request", lambda asked: None if _is_own(asked.url, own) else said.append(f"it asks for {asked.url}"))
    page.goto(own)
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true })")
    width, given = page.evaluate(WIDTHS)
    picture = folder / f"{file.stem}-{size}.png"
    page.screenshot(path=picture, full_page=True)
    page.close()
    print(picture)
    if width > given:
        said.append(f"it is {width} wide on a screen of {given}")
    yield from (f"{file.name} on a {size}: {line}" for line in said)


def _is_own(url: str, own: str) -> bool:
    return url.startswith((own, "data:"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
