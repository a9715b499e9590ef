"""HTML and SVG as values: elements that close themselves and escape every text, so that no section has to.

A `str` is text and is escaped; an `Html` is markup already. What does not live here: what the page says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final, TypeAlias, Union

Attribute: TypeAlias = str | float | bool | None
Child: TypeAlias = Union[str, Iterable["Child"], None]  # noqa: UP007 -- a forward reference cannot stand beside |

_VOID: Final = frozenset({"br", "col", "hr", "input", "link", "meta"})
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates, which HTML and UTF-8 do not allow."""


class Html(str):
    """Markup, which is not escaped again."""

    __slots__ = ()


def text(value: str) -> Html:
    """Escape a text for an element or for an attribute in double quotes."""
    return Html(escape(_FORBIDDEN.sub("\ufffd", value), quote=True))


def join(*children: Child) -> Html:
    """Put children one after another; None and empty collections give nothing."""
    return Html("".join(_flat(children)))


def element(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Write one element.

    Args:
        name: tag name.
        children: texts, markup, or collections of them.
        attributes: `class_` is `class`, `data_tip` is `data-tip`; None and False leave the attribute out, True writes
            it without a value.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        assert not children
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def number(value: float) -> str:
    """Write a coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def script_json(value: str) -> Html:
    """Make a JSON document safe inside a script element, where nothing but `<` could end it."""
    return Html(value.replace("<", "\\u003c"))


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str):
            yield text(child)
        elif child is not None:
            yield from _flat(child)


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{text(value if isinstance(value, str) else number(value))}"'
