"""The page of a readout: what it says, and how a real browser shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from two_tower_assets.experiments.readout.figures import Readout
from two_tower_assets.experiments.readout.gather import readout
from two_tower_assets.experiments.readout.page.document import render
from two_tower_assets.experiments.readout.plots import over_time_plot
from two_tower_assets_tests.evaluation.page.browser import Watched, chromium
from two_tower_assets_tests.experiments.readout.rows_of import DAY, LATER, START, plan_experiment, two_arms

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CONTRAST = (Path(__file__).parents[2] / "evaluation" / "page" / "contrast.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def readouts(database: str) -> dict[str, Readout]:
    """Sure, waiting, and with nobody counted."""
    with psycopg.connect(database, autocommit=True) as connection:
        plan_experiment(connection, guardrails=["like_rate", "coverage"])
        two_arms(connection, 0.35)
        moments = {"sure": LATER, "waiting": START + 4 * DAY, "empty": START + timedelta(hours=1)}
        return {name: readout(connection, "taste", at=at) for name, at in moments.items()}


def test_the_page_shows_every_readout_and_fits_the_screen(
    browser: Browser, readouts: dict[str, Readout], tmp_path: Path
) -> None:
    """On a phone and a desk: the verdict, no sideways scroll, no request but the file, nothing in the console."""
    words = {"sure": "better", "waiting": "not yet", "empty": "not yet"}
    sizes: list[Any] = [{"width": 360, "height": 740}, {"width": 1280, "height": 900}]
    for name, found in readouts.items():
        file = tmp_path / f"{name}.html"
        file.write_text(render(found), encoding="utf-8")
        for size in sizes:
            watched = Watched(browser.new_context(viewport=size).new_page())
            watched.open(file)
            assert watched.page.locator(".banner .word").inner_text().endswith(f"candidate: {words[name]}")
            assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, size)
            assert (watched.requests, watched.complaints) == ([file.as_uri()], [])
        assert watched.page.evaluate(CONTRAST) == []


def test_plots_are_small_pictures_however_little_is_known(readouts: dict[str, Readout]) -> None:
    """Also of a single day, and of nobody at all."""
    nobody = readouts["empty"].model_copy(update={"entries": ()})
    for found in (*readouts.values(), nobody):
        assert over_time_plot(found).startswith(b"\x89PNG")


def test_a_readout_is_the_same_after_json(readouts: dict[str, Readout]) -> None:
    """What an asset stores is what a page is made of."""
    for found in readouts.values():
        assert Readout.model_validate_json(found.model_dump_json()) == found
        assert render(Readout.model_validate(json.loads(found.model_dump_json()))) == render(found)
