"""How the page looks, where that can be measured: contrast of every text, and code that its own tools agree with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from two_tower_assets_tests.demo.page import opened
from two_tower_assets_tests.demo.stack import DEMO, HERE, Stack
from two_tower_assets_tests.functions.deno import Deno

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NEW = -1
LOCAL = DEMO.parent
FAINT = """() => {
  const channels = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { rgb, a } = channels(getComputedStyle(at).backgroundColor);
      if (a === 1) return rgb;
    }
    return null;
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("[aria-hidden], .skip, .place, .avatar, noscript")) continue;
    const [one, two] = [channels(getComputedStyle(element).color).rgb, behind(element)].map(luminance);
    const ratio = (Math.max(one, two) + .05) / (Math.min(one, two) + .05);
    if (ratio < 4.5) faint.push(`${texts.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(stack: Stack, browser: Browser, scheme: Literal["light", "dark"]) -> None:
    """Each text stands at 4.5 to 1 or more against what is behind it, in the list, the empty state and the bar."""
    demo = opened(stack, browser, color_scheme=scheme, reduced_motion="reduce")
    assert demo.page.evaluate(FAINT) == []
    demo.choose(NEW)
    demo.decide("nope", 11)
    assert demo.page.evaluate(FAINT) == []
    demo.page.context.close()


def test_code_is_as_its_tools_want_it(deno: Deno) -> None:
    """Types hold, the linter finds nothing, and the format of scripts, styles and pages is Deno's."""
    deno.run("check", LOCAL / "gateway", HERE)
    deno.run("lint", LOCAL, HERE)
    deno.run("fmt", "--check", LOCAL, HERE)


def test_each_file_is_small() -> None:
    """One idea a file: none is longer than 250 lines."""
    lengths = {path.name: len(path.read_text().splitlines()) for path in LOCAL.rglob("*.*") if path.is_file()}
    assert len(lengths) > 15
    assert not {name for name, lines in lengths.items() if lines > 250}
