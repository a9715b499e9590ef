"""A bar of shares that add up to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from two_tower_assets.evaluation.page.markup import Html, element

_HEIGHT: Final = 24


def stack(shares: Sequence[float], names: Sequence[str], label: str) -> Html:
    """Draw the shares side by side, fading from the first to the last.

    Args:
        shares: 0 to 1.
        names: of the shares, for those who point at one.
        label: the bar in words, for those who do not see it.
    """
    return element("svg", _parts(shares, names), class_="stack", height=_HEIGHT, role="img", aria_label=label)


def _parts(shares: Sequence[float], names: Sequence[str]) -> Iterator[Html]:
    start = 0.0
    for place, (share, name) in enumerate(zip(shares, names, strict=True)):
        if share > 0:
            yield element(
                "rect",
                x=f"{100 * start:.2f}%",
                width=f"{100 * share:.2f}%",
                height="100%",
                class_=f"s{place}",
                data_tip=f"{name}: {share:.1%}",
            )
        start += share
