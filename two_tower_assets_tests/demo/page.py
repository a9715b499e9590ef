"""The open page, and what a person at it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import psycopg

from two_tower_assets_tests.demo.stack import Stack
from two_tower_assets_tests.evaluation.page.browser import Watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE, DESK = (360, 740), (1280, 900)


class Demo:
    """The open page, at one person."""

    def __init__(self, stack: Stack, page: Page, url: str | None = None) -> None:
        self.stack, self.page, self.watched = stack, page, Watched(page)
        self.tokens: set[str] = set()
        page.on("request", lambda request: self.tokens.add(request.headers.get("authorization", "")))
        page.goto(f"{url or stack.url}/demo")
        self.wait()

    def choose(self, place: int) -> str:
        """Look at it as the person at a place (−1: somebody new); returns that user's id."""
        radio = self.page.locator(".person input").nth(place)
        user = str(radio.get_attribute("value"))
        if radio.is_checked():
            return user
        with self.page.expect_response(lambda response: "ai-recommend" in response.url or not response.ok):
            radio.check(force=True)
        self.wait()
        return user

    def wait(self) -> None:
        """Until both lists are there."""
        self.page.wait_for_selector("#list .card[data-id], #list .empty")
        self.page.wait_for_selector("#likes .liked[data-id], #likes .empty")

    def decide(self, kind: Literal["like", "nope"], place: int = 0) -> str:
        """Press a button of the card at a place; returns the video's id when the new list is there."""
        card = self.page.locator(".card").nth(place)
        video = str(card.get_attribute("data-id"))
        card.locator(f"button.{kind}").click()
        self.page.wait_for_function(
            "video => !document.querySelector(`.card[data-id='${video}']`)"
            " && !document.getElementById('undo').hidden",
            arg=video,
        )
        return video

    def ids(self, selector: str) -> list[str]:
        """Videos on the page, in order."""
        found: list[str] = self.page.eval_on_selector_all(selector, "all => all.map(one => one.dataset.id)")
        return found

    @property
    def listed(self) -> list[str]:
        return self.ids("#list .card")

    @property
    def liked(self) -> list[str]:
        return self.ids("#likes .liked")

    @property
    def bar(self) -> str:
        return self.page.locator("#bar-text").inner_text()

    def row(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        with psycopg.connect(self.stack.database) as connection:
            return connection.execute(statement, values).fetchone()

    def decision(self, user: str, video: str) -> str | None:
        row = self.row(
            "select decision_type from user_video_decisions where user_id = %s and video_id = %s", user, video
        )
        return None if row is None else str(row[0])

    def vector(self, user: str) -> str:
        row = self.row("select embedding::text from user_embeddings where user_id = %s", user)
        assert row is not None
        return str(row[0])

    def fits(self) -> bool:
        fits: bool = self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        return fits


def opened(
    stack: Stack, browser: Browser, size: tuple[int, int] = DESK, *, url: str | None = None, **options: Any
) -> Demo:
    """Open the page in a window of its own; at another URL than the stack's, if one is given."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    return Demo(stack, context.new_page(), url)
