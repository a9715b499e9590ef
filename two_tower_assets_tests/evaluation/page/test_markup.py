from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.page.markup import Html, element, join, number, script_json, text


class _Texts(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.starts: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.data += data


def test_names_of_attributes_are_those_of_html() -> None:
    assert element("a", "x", class_="b", data_tip="c", viewBox="0 0 1 1", y1=0.5) == (
        '<a class="b" data-tip="c" viewBox="0 0 1 1" y1="0.5">x</a>'
    )


def test_none_and_false_leave_an_attribute_out_and_true_has_no_value() -> None:
    assert element("input", hidden=True, checked=False, title=None) == "<input hidden>"


def test_children_are_flattened_and_markup_is_not_escaped_twice() -> None:
    assert join("<", [element("b", "&"), None, [Html("<i></i>")]]) == "&lt;<b>&amp;</b><i></i>"


@given(st.text())
def test_any_text_comes_back_as_one_text_and_one_attribute(words: str) -> None:
    """Whatever somebody writes, a reader finds the one element and the words, but for characters HTML forbids."""
    read = _Texts(element("p", words, title=words))
    shown = unescape(text(words))
    assert read.starts == [("p", {"title": shown})]
    assert read.data == shown


@given(st.text())
def test_nothing_in_a_script_can_end_it(words: str) -> None:
    assert "<" not in script_json(words)


def test_characters_that_html_forbids_are_replaced() -> None:
    assert text("a\x00b\ud800c\x1bd\n") == "a\ufffdb\ufffdc\ufffdd\n"


def test_coordinates_have_two_decimals_at_most() -> None:
    assert [number(value) for value in (1.0, 0.125, -3.10, 0.0, 100.0)] == ["1", "0.12", "-3.1", "0", "100"]
