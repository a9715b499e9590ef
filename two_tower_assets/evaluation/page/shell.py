"""A page as one file: it loads nothing, and a content policy of its own forbids it to."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from two_tower_assets.evaluation.page.markup import Child, Html, element, join

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def html_page(*, title: str, heading: Child, below: str, sections: Sequence[tuple[str, str, Html]]) -> str:
    """Write a whole document.

    Args:
        title: of the tab.
        heading: first line of the page.
        below: what it is about, in small words under the heading.
        sections: key, name in the navigation, and content; the first one is what one must read.
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
    first, name, _ = sections[0]
    body = element(
        "body",
        element("a", f"Skip to the {name.lower()}", href=f"#{first}", class_="skip"),
        element("header", element("h1", heading), element("p", below)),
        element(
            "nav",
            element("ul", [element("li", element("a", name, href=f"#{key}")) for key, name, _ in sections]),
            aria_label="Sections",
        ),
        element("main", [content for _, _, content in sections]),
        element("div", id="tip", role="status", hidden=True),
        element("script", _resource("page.js")),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _resource(name: str) -> Html:
    return join(Html(files(__package__).joinpath(name).read_text(encoding="utf-8")))
