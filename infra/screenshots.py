"""Take pictures of the Dagster UI with a headless browser: the asset graph and the pages people open most.

Run by `make screenshots` after `make run`. Starts its own webserver on the instance of the environment, drives the
Chromium that is on the PATH, and writes PNG files into the folder given as the only argument. The newest
failed run is among them where there is one.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from browser import chromium
from playwright.sync_api import Page, ViewportSize

STAGES = ("sources", "features", "training", "evaluation", "artifacts", "publishing", "experiments")
PAGES = {
    "asset-graph": "/asset-groups?expanded=" + ",".join(f"global@global:{stage}" for stage in STAGES),
    "catalogue": "/assets",
    "decisions": "/assets/sources/decisions",
    "checkpoint": "/assets/training/checkpoint",
    "checkpoint-over-time": "/assets/training/checkpoint?view=events",
    "evaluation-report": "/assets/evaluation/report",
    "verdict": "/assets/evaluation/verdict",
    "verdict-check": "/assets/evaluation/verdict?view=checks",
    "vectors": "/assets/publishing/video_embeddings_table",
    "vectors-check": "/assets/publishing/video_embeddings_table?view=checks",
    "release": "/assets/publishing/release",
    "readout": "/assets/experiments/readout",
    "jobs": "/jobs",
    "job-release": "/locations/two_tower_assets/jobs/release",
    "automation": "/automation",
    "sensor": "/locations/two_tower_assets/sensors/retrain_on_news",
    "runs": "/runs",
}
IN_FULL = {"checkpoint": "curves_in_full", "evaluation-report": "beside_baselines_in_full"}
"""Pages with a plot that the UI keeps behind a link, and the plot's key."""
PAGE_SIZE: ViewportSize = {"width": 1600, "height": 1700}
# The graph does not shrink below a readable size, so its page is as large as the graph.
GRAPH_SIZE: ViewportSize = {"width": 2400, "height": 5400}
READY_SECONDS = 120


def main(folder: Path) -> None:
    """Write one PNG a page."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, _webserver() as base:
        runs = _runs(base)
        if "run" not in runs:
            sys.exit("No run has succeeded in this home yet, so its pages are empty. `make run` first, then this.")
        page = browser.new_page()
        for name, path in (PAGES | runs).items():
            page.set_viewport_size(GRAPH_SIZE if name == "asset-graph" else PAGE_SIZE)
            _open(page, base + path)
            if name == "failed-run":
                _show_failed_step(page)
            _take(page, folder / f"{name}.png")
            if name in IN_FULL:
                _show_plot(page, IN_FULL[name])
                _take(page, folder / f"{name}-plot.png")


def _runs(base: str) -> dict[str, str]:
    """Pages of the newest run that succeeded, and of the newest that failed."""
    found = {"run": _newest(base, "SUCCESS"), "failed-run": _newest(base, "FAILURE")}
    return {name: f"/runs/{run}" for name, run in found.items() if run is not None}


def _newest(base: str, status: str) -> str | None:
    query = f"{{ runsOrError(filter: {{statuses: [{status}]}}, limit: 1) {{ ... on Runs {{ results {{ id }} }} }} }}"
    asked = Request(
        f"{base}/graphql", json.dumps({"query": query}).encode(), headers={"content-type": "application/json"}
    )
    with urlopen(asked, timeout=READY_SECONDS) as answer:
        runs: list[dict[str, str]] = json.load(answer)["data"]["runsOrError"]["results"]
    return runs[0]["id"] if runs else None


def _open(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_load_state("networkidle")
    # The UI fades its content in and lays the graph out in a worker; neither shows in the network.
    page.wait_for_timeout(4000)


def _show_plot(page: Page, key: str) -> None:
    page.get_by_role("row").filter(has_text=key).get_by_text("[Show Markdown]").click()
    page.wait_for_timeout(1000)


def _show_failed_step(page: Page) -> None:
    """Choose the first step of the list *Errored*, which shows its events alone."""
    name = page.get_by_text("Errored (").locator("xpath=following::*[contains(text(), '__')][1]")
    name.click()
    page.wait_for_timeout(2000)


def _take(page: Page, file: Path) -> None:
    page.screenshot(path=file)
    print(file)


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
