"""The demo's page in a real browser, over the real parts: what it shows, and what a decision changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import jwt
import pytest

from two_tower_assets_tests.demo.page import DESK, PHONE, Demo, opened
from two_tower_assets_tests.demo.stack import Stack, gateway
from two_tower_assets_tests.demo.world import VERSION

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MANY, SOME, FEW, OTHER, KEYS, FAILING = range(6)
"""Places in the list of people; each test that decides has one of its own."""


@pytest.fixture
def demo(stack: Stack, browser: Browser) -> Iterator[Demo]:
    """The page on a desk, for someone who wants no motion; afterwards it has nothing to complain of."""
    shown = opened(stack, browser, reduced_motion="reduce")
    yield shown
    assert not shown.watched.complaints
    shown.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_page_shows_likes_beside_recommendations(
    stack: Stack, browser: Browser, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    """At both widths, by day and by night: all is there, nothing overflows, and nothing comes from elsewhere."""
    demo = opened(stack, browser, size, color_scheme=scheme)
    user = str(demo.page.locator(".person input:checked").get_attribute("value"))
    row = demo.row(
        "select count(*) from user_video_decisions where user_id = %s and decision_type ~ '(^|_)like$'", user
    )
    assert row is not None
    assert demo.page.locator("#likes-count").inner_text() == str(row[0])
    assert len(demo.liked) == 20
    assert len(demo.listed) == 12
    assert demo.page.locator("#facts code").inner_text() == VERSION
    card = demo.page.locator(".card").first
    assert card.locator(".chip.model").inner_text() == "Model"
    assert card.locator("dt").all_inner_texts() == ["Similarity", "Score"]
    for place in ("h3", ".maker", ".tags", ".thumbnail", "button.like", "button.nope"):
        assert card.locator(place).is_visible(), place
    assert demo.fits()
    heights = demo.page.eval_on_selector_all(".card button", "all => all.map(one => one.offsetHeight)")
    assert min(heights) >= 44
    assert all(url.startswith(f"{stack.url}/") for url in demo.watched.requests)
    assert not demo.watched.complaints
    demo.page.context.close()


def test_browser_holds_only_the_users_token(demo: Demo) -> None:
    """Every token that the page sends is the chosen user's own; the service key is never there."""
    user = demo.choose(SOME)
    demo.tokens.clear()
    demo.decide("nope", 11)
    sent = {token.removeprefix("Bearer ") for token in demo.tokens if token}
    assert sent
    for token in sent:
        claims = jwt.decode(token, demo.stack.keys.secret, algorithms=["HS256"], audience="authenticated")
        assert (claims["role"], claims["sub"]) == ("authenticated", user)


def test_three_likes_change_the_vector_and_the_order_of_the_undecided(demo: Demo) -> None:
    """A liked video leaves the list and heads the likes; the user's vector and the others' places change too."""
    user = demo.choose(MANY)
    before, vector, count = demo.listed, demo.vector(user), int(demo.page.locator("#likes-count").inner_text())
    for place in (11, 5, 0):
        video = demo.decide("like", place)
        assert video not in demo.listed
        assert demo.liked[0] == video
        assert demo.decision(user, video) == "like"
        assert demo.bar.startswith("Liked “")
    assert demo.page.locator("#likes-count").inner_text() == str(count + 3)
    assert demo.page.locator(f"[data-likes='{user}']").inner_text() == f"{count + 3} likes"
    assert demo.vector(user) != vector
    decided = set(demo.liked[:3])
    stayed = [video for video in before if video not in decided]
    assert demo.listed[: len(stayed)] != stayed
    assert "changed" in demo.bar


def test_nope_leaves_the_list_and_can_be_taken_back(demo: Demo) -> None:
    """A NOPE is no like; undone, the row is gone from the database and the video may be recommended again."""
    user = demo.choose(FEW)
    liked = demo.liked
    video = demo.decide("nope")
    assert demo.decision(user, video) == "nope"
    assert demo.liked == liked
    demo.page.locator("#undo").click()
    demo.page.wait_for_selector(f"#list .card[data-id='{video}']")
    assert demo.decision(user, video) is None
    assert demo.bar.startswith("Took back “")


def test_older_likes_are_behind_a_button(demo: Demo) -> None:
    """Twenty likes at first, then all of them, each once; the keyboard goes on at the first one that came."""
    demo.choose(MANY)
    total = int(demo.page.locator("#likes-count").inner_text())
    assert 20 < total <= 60
    while demo.page.locator("#likes .further button").count():
        shown = len(demo.liked)
        demo.page.locator("#likes .further button").click()
        demo.page.wait_for_function("shown => document.querySelectorAll('#likes .liked').length > shown", arg=shown)
        assert demo.page.evaluate("document.activeElement.dataset.id") == demo.liked[shown]
    assert len(set(demo.liked)) == len(demo.liked) == total


def test_more_goes_on_without_repeating(demo: Demo) -> None:
    """The next page comes below, with no video twice; the keyboard goes on at its first card."""
    demo.choose(OTHER)
    first = demo.listed
    demo.page.get_by_role("button", name="More recommendations").click()
    demo.page.wait_for_selector(".card:nth-child(24)")
    assert demo.listed[:12] == first
    assert len(set(demo.listed)) == 24
    focused = demo.page.evaluate("document.activeElement.closest('.card').dataset.id")
    assert focused == demo.listed[12]
    video = demo.decide("nope", 20)
    assert len(set(demo.listed)) == 24
    assert video not in demo.listed


def test_newcomer_is_shown_what_is_popular_until_the_first_like(demo: Demo) -> None:
    """Somebody new has an empty state and popular videos; one LIKE later the model chooses."""
    demo.choose(-1)
    assert demo.page.locator("#likes .empty b").inner_text() == "No likes yet"
    assert demo.page.locator(".chip.popular").count() == 12
    video = demo.decide("like", 3)
    assert demo.liked == [video]
    assert demo.page.locator(".chip.model").count() == 12


def test_keyboard_alone_is_enough(demo: Demo) -> None:
    """Arrow keys walk along the people, Enter decides, and the focus stays at the same place of the list."""
    demo.page.locator(".person input").nth(KEYS - 1).focus()
    with demo.page.expect_response(lambda response: "ai-recommend" in response.url):
        demo.page.keyboard.press("ArrowRight")
    demo.wait()
    assert demo.page.locator(".person input").nth(KEYS).is_checked()
    for _ in range(60):
        demo.page.keyboard.press("Tab")
        if demo.page.evaluate("document.activeElement.matches('.card:nth-child(2) button.like')"):
            break
    video = demo.listed[1]
    outline = demo.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    demo.page.keyboard.press("Enter")
    demo.page.wait_for_selector(f"#likes .liked[data-id='{video}']")
    demo.page.wait_for_selector("#undo:not([hidden])")
    assert demo.page.evaluate("document.activeElement.matches('.card:nth-child(2) button.like')")
    assert demo.page.locator("#spoken").inner_text() == demo.bar


def test_places_given_away_are_marked(stack: Stack, browser: Browser) -> None:
    """Where half of the places explore, the page marks those that do, and says how many."""
    with gateway(stack.deno, {**stack.environment, "EXPLORE_SHARE": "0.5"}) as url:
        demo = opened(stack, browser, url=url)
        sources = demo.page.locator("#facts dd").nth(2).inner_text()
        explored, chosen = demo.page.locator(".chip.explore").count(), demo.page.locator(".chip.model").count()
        assert explored + chosen == 12
        for source, count in (("explore", explored), ("model", chosen)):
            assert count == 0 or f"{count} {source}" in sources
        assert explored > 0
        demo.page.context.close()


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_nothing_moves_for_whoever_asks_for_less_motion(
    stack: Stack, browser: Browser, wish: Literal["reduce", "no-preference"]
) -> None:
    """Cards glide to their new places only where motion is welcome."""
    demo = opened(stack, browser, reduced_motion=wish)
    demo.page.evaluate(
        """() => {
            window.glided = 0;
            const animate = Element.prototype.animate;
            Element.prototype.animate = function (...how) { window.glided += 1; return animate.apply(this, how); };
        }"""
    )
    demo.choose(OTHER)
    demo.decide("nope")
    assert (demo.page.evaluate("window.glided") > 0) == (wish == "no-preference")
    if wish == "reduce":
        assert demo.page.evaluate("document.getAnimations().length") == 0
    demo.page.context.close()


def test_failures_are_said_and_can_be_tried_again(stack: Stack, browser: Browser) -> None:
    """While the database's API is away, a decision stays undone and lists say why; afterwards the page goes on."""
    demo = opened(stack, browser, reduced_motion="reduce")
    user = demo.choose(FAILING)
    stack.postgrest.stop()
    try:
        card = demo.page.locator(".card").first
        video = str(card.get_attribute("data-id"))
        card.locator("button.like").click()
        demo.page.wait_for_function(
            "() => document.getElementById('bar-text').textContent.includes('was not decided on')"
        )
        assert video in demo.listed
        assert demo.decision(user, video) is None
        assert not card.evaluate("card => card.classList.contains('leaving')")
        demo.choose(FAILING + 1)
        demo.page.wait_for_selector("#list .failed")
        assert "does not answer" in demo.page.locator("#list .failed").inner_text()
        demo.page.reload()
        demo.page.wait_for_selector("#people .failed")
        assert demo.fits()
    finally:
        stack.postgrest.start()
    demo.page.get_by_role("button", name="Try again").first.click()
    demo.wait()
    assert len(demo.listed) == 12
    demo.page.context.close()
