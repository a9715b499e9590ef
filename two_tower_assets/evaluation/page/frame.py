"""A page as one file: it loads nothing, and a content policy of its own forbids it to.

What does not live here: what a page says (`document`, and whoever else has figures to show).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from two_tower_assets.evaluation.page.markup import Html, element, join

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def framed(title: str, heading: Html, subtitle: str, sections: Sequence[tuple[str, str, Html]]) -> str:
    """Write a page.

    Args:
        title: of the window.
        heading: the first of the page.
        subtitle: what it is about, below the heading.
        sections: key, name in the navigation, and markup; the first one, with the key `verdict`, is the verdict.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", _resource("page.css"), _resource("charts.css")),
    )
    links = [element("li", element("a", name, href=f"#{key}")) for key, name, _ in sections]
    body = element(
        "body",
        element("a", "Skip to the verdict", href="#verdict", class_="skip"),
        element("header", heading, element("p", subtitle)),
        element("nav", element("ul", links), aria_label="Sections"),
        element("main", [content for _, _, content in sections]),
        element("div", id="tip", role="status", hidden=True),
        element("script", _resource("page.js")),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _resource(name: str) -> Html:
    return join(Html(files(__package__).joinpath(name).read_text(encoding="utf-8")))
