"""Dagster's UI in a real browser: its server beside a test, and pages that complain."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from two_tower_assets_tests.loopback import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

ROOT: Final = Path(__file__).parents[2]
_READY_SECONDS: Final = 90
_WAIT_MILLISECONDS: Final = 60_000
TALL: Final = 6000
"""Pixels of a window that holds a whole list: the UI draws only the rows in sight."""


@contextmanager
def webserver(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """Serve the UI on the instance of an environment, and yield its address."""
    port = free_port()
    command = ["-m", "dagster_webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, *command], env=environment, cwd=ROOT, stdout=output, stderr=output
        ) as server,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, log)
            yield url
        finally:
            server.terminate()


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/server_info", timeout=5, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text(errors="replace"))


class Ui:
    """One window of the UI, and the errors it has had."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self.errors: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": 1600, "height": TALL})
        self.page.set_default_timeout(_WAIT_MILLISECONDS)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path: str, shows: str) -> Page:
        """Go to a page and wait until it shows a text."""
        self.page.goto(self.url + path)
        self.page.get_by_text(shows).first.wait_for()
        return self.page

    def value(self, key: str) -> Locator:
        """The cell beside a key in an asset's metadata."""
        return self.page.locator(f"tr:has(> td:first-child span:text-is('{key}')) > td:last-child")

    def text(self) -> str:
        """Everything that the page shows, on one line."""
        return " ".join(self.page.locator("body").inner_text().split())

    def width(self, image: Locator) -> int:
        """Pixels of a picture as it was decoded; 0 when it could not be."""
        image.wait_for()
        width: int = image.evaluate("image => image.decode().then(() => image.naturalWidth, () => 0)")
        return width

    def _on_console(self, message: ConsoleMessage) -> None:
        # Its warnings are the UI's own, about calls that it will have to make otherwise one day.
        if message.type == "error":
            self.errors.append(message.text)
