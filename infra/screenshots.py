"""Take pictures of the Dagster UI with a headless browser: the asset graph and the pages people open most.

Run by `make screenshots` after `make run`. Starts its own webserver on the instance of the environment, drives the
Chromium that is on the PATH, and writes PNG files into the folder given as the only argument.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from browser import chromium
from playwright.sync_api import Page, ViewportSize

STAGES = ("sources", "features", "training", "evaluation", "artifacts", "publishing")
PAGES = {
    "asset-graph": "/asset-groups?expanded=" + ",".join(f"global@global:{stage}" for stage in STAGES),
    "checkpoint": "/assets/training/checkpoint",
    "evaluation-report": "/assets/evaluation/report",
    "decisions": "/assets/sources/decisions",
    "release": "/assets/publishing/release",
    "runs": "/runs",
}
PAGE_SIZE: ViewportSize = {"width": 1800, "height": 1100}
# The graph does not shrink below a readable size, so its page is as large as the graph.
GRAPH_SIZE: ViewportSize = {"width": 1900, "height": 2300}
READY_SECONDS = 120


def main(folder: Path) -> None:
    """Write one PNG a page."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, _webserver() as base:
        page = browser.new_page()
        for name, path in PAGES.items():
            page.set_viewport_size(GRAPH_SIZE if name == "asset-graph" else PAGE_SIZE)
            _open(page, base + path)
            _show_plot(page)
            page.screenshot(path=folder / f"{name}.png")
            print(folder / f"{name}.png")


def _open(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_load_state("networkidle")
    # The UI fades its content in and lays the graph out in a worker; neither shows in the network.
    page.wait_for_timeout(4000)


def _show_plot(page: Page) -> None:
    """Open the page's plot, which the UI keeps behind a link."""
    plot = page.get_by_text("[Show Markdown]")
    if plot.count():
        plot.first.click()
        page.wait_for_timeout(1000)


@contextmanager
def _webserver() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["dagster_webserver", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL) as server:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_for(base)
            yield base
        finally:
            server.terminate()


def _wait_for(base: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urlopen(f"{base}/server_info", timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
