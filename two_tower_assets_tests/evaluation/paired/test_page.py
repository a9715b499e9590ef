from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.paired.compare import METRICS
from two_tower_assets.evaluation.paired.page import render
from two_tower_assets.evaluation.paired.records import ChangedList, Comparison, Group
from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.evaluation.page.browser import Watched, chromium
from two_tower_assets_tests.features.worlds import uid
from two_tower_assets_tests.publishing.releasing import NEW, OLD

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
HOSTILE = "<script>alert(1)</script>" + "long " * 30


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def interval(mean: float) -> Interval:
    return Interval(mean=mean, low=mean - 0.01, high=mean + 0.01)


def group(name: str, gain: float, users: int = 400) -> Group:
    return Group(
        name=name,
        users=users,
        before={metric: interval(0.4) for metric in METRICS},
        after={metric: interval(0.4 + gain) for metric in METRICS},
        difference={metric: interval(gain) for metric in METRICS},
        better=0.25,
        worse=0.125,
    )


def comparison(*groups: Group, changed: tuple[ChangedList, ...] = ()) -> Comparison:
    return Comparison(
        before=OLD,
        after=NEW,
        begin=CUTOFF,
        end=CUTOFF,
        likes=1234,
        groups=groups,
        same=interval(0.75),
        changed=changed,
        titles={uid(1): HOSTILE},
    )


CHANGED = ChangedList(user_id=uid(9), liked=(uid(1),), before=(uid(2), uid(3)), after=(uid(1), uid(2)))


def test_it_says_what_may_be_claimed_and_for_whom() -> None:
    """A gain is good where more is better; of a group that is too small there are figures and no claim."""
    page = render(comparison(group("all", 0.05), group("taste: Drama", 0.2, users=12)))
    assert "all: recall@50 +0.0500 [+0.0400 +0.0600] over 400 users, more than chance." in page
    assert "taste: Drama: " not in page.split('id="groups"')[0]
    recall, _, nopes = page.split("<caption>")[1:]
    assert recall.count('class="pass"') == nopes.count('class="fail"') == 1
    assert recall.count('class="baseline"') == 1


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("changed", [(), (CHANGED,)], ids=["nothing changed", "a list changed"])
def test_it_fits_the_screen_and_asks_for_nothing_but_itself(
    browser: Browser, tmp_path: Path, size: Any, changed: tuple[ChangedList, ...]
) -> None:
    """Titles are words and not markup; no sideways scroll, no request besides the file, nothing in the console."""
    file = tmp_path / "page.html"
    file.write_text(render(comparison(group("all", -0.05), changed=changed)), encoding="utf-8")
    watched = Watched(browser.new_context(viewport=size).new_page())
    watched.open(file)
    assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watched.requests == [file.as_uri()]
    assert watched.complaints == []
    assert watched.page.get_by_text("♥ liked later").count() == len(changed)
