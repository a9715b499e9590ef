"""What a person reads of a study: the verdict's words, the page, the plots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from two_tower_assets.evaluation.png import MAX_BYTES
from two_tower_assets.tuning.history import best_so_far
from two_tower_assets.tuning.page import render, write_page
from two_tower_assets.tuning.plots import history_plot, importance_plot
from two_tower_assets.tuning.verdict import headline, is_better, verdict_lines
from two_tower_assets_tests.evaluation.page.browser import Watched, chromium
from two_tower_assets_tests.tuning.outcomes import outcome, unchanged

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
CONTRAST = (Path(__file__).parents[1] / "evaluation" / "page" / "contrast.js").read_text(encoding="utf-8")
LONG = "long " * 40
DIFF = f"--- a/two_tower.toml\n+++ b/two_tower.toml\n@@ -1 +1 @@\n-dropout = 0.1 # {LONG}\n+dropout = 0.2\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize(
    ("gain", "half", "words", "better"),
    [
        (0.02, 0.01, "finds more than the current settings, by more than chance", True),
        (0.005, 0.01, "can't be told from the current settings", False),
        (-0.02, 0.01, "finds less than the current settings, by more than chance", False),
    ],
)
def test_the_verdict_says_whether_it_is_more_than_chance(gain: float, half: float, words: str, better: bool) -> None:
    """By where the interval of the paired difference lies, with the figures behind it."""
    found = outcome(gain, half)
    assert words in headline(found)
    assert is_better(found) == better
    assert (
        f"{gain:+.4f} [{gain - half:+.4f} {gain + half:+.4f}] over 412 users; with 2 of 3 seeds"
        in verdict_lines(found)[2]
    )


def test_what_gets_worse_meanwhile_is_said() -> None:
    """More NOPEs by more than chance: a warning; more NDCG is none, and nor is what may be chance."""
    found = verdict_lines(outcome(0.02, 0.01))
    assert [line for line in found if "worse" in line] == [
        "Mind that NOPE rate@10 is worse by more than chance: +0.0200 [+0.0100 +0.0300]."
    ]
    assert not any("Mind" in line for line in verdict_lines(outcome(0.005, 0.01)))


def test_current_settings_that_stay_are_no_change() -> None:
    """Nothing is proposed, and no test window was looked at."""
    assert "The current settings stay" in headline(unchanged())
    assert not is_better(unchanged())
    page = render(unchanged(), label="ours", diff="")
    assert "The settings stay as they are." in page
    assert "Too few trials are complete" in page


def test_the_best_so_far_never_falls() -> None:
    """A staircase from the first complete trial to the last trial."""
    corners = best_so_far(outcome())
    assert [value for _, value in corners] == sorted(value for _, value in corners)
    assert (corners[0][0], corners[-1][0]) == (0, 23)


@pytest.mark.parametrize("found", [outcome(), unchanged()], ids=["winner", "unchanged"])
def test_the_plots_are_small_pictures(found: Any) -> None:
    """For the event log."""
    for picture in (history_plot(found), importance_plot(found)):
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < MAX_BYTES


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("found", [outcome(), unchanged()], ids=["winner", "unchanged"])
def test_the_page_fits_the_screen_and_asks_for_nothing(
    browser: Browser, tmp_path: Path, found: Any, size: Any
) -> None:
    """Unfolded: no sideways scroll, no request besides the file, nothing in the console, every text in contrast."""
    file = write_page(found, tmp_path, label="ours", diff=DIFF if found.changes else "")
    for scheme in ("light", "dark"):
        watched = Watched(browser.new_context(viewport=size, color_scheme=scheme).new_page())
        watched.open(file)
        watched.page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert watched.requests == [file.as_uri()]
        assert watched.complaints == []
        assert watched.page.evaluate(CONTRAST) == []


def test_a_trial_says_its_figure_when_pointed_at(browser: Browser, tmp_path: Path) -> None:
    """In the chart of the search."""
    file = write_page(outcome(), tmp_path, label="ours", diff=DIFF)
    watched = Watched(browser.new_context(viewport=DESK).new_page())
    watched.open(file)
    watched.page.locator("#history circle.towers").first.hover()
    assert watched.page.locator("#tip").inner_text() == "trial 0: recall@50 0.400"
