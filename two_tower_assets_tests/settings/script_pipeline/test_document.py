from __future__ import annotations

import pytest

from two_tower_assets.errors import SettingsError
from two_tower_assets.settings.script_pipeline.document import Entry, read_entries


def test_keys_come_with_their_tables_and_lines() -> None:
    """Below the tables keys are joined by dots; what lies deeper is a value."""
    content = b"# a comment\na: 1\nb:\n  c: [x]\n  d: {e: 2e-1}\n"
    assert read_entries(content, {"b"}, where="file") == (
        Entry("a", 2, 1),
        Entry("b.c", 4, ["x"]),
        Entry("b.d", 5, {"e": 0.2}),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1\n", "not YAML: line 2"),
        (b"a: 1\n\tb: 2\n", "not YAML: line 2"),
        (b"- a\n- b\n", "not YAML: line 1: keys are expected here"),
        (b"a: 1\nb: 5\n", "not YAML: line 2: keys are expected here"),
        (b"? [a]\n: 1\n", "not YAML: line 1: a key must be a word"),
        (b"a: !!python/object:os.system x\n", "not YAML: line 1: could not determine a constructor"),
        (b"a: &x [*x]\n", "not YAML: line 1"),
        (b"a: 2026-99-99\n", "not YAML: month must be in"),
        (b"a: 1\n---\na: 2\n", "not YAML: line 2"),
        (b"\xff\xfea", "not YAML"),
        (b"a: " + b"[" * 5000, "not YAML: maximum recursion depth"),
        (b"", "holds no keys"),
        (b"# nothing but a comment\n", "holds no keys"),
    ],
)
def test_what_is_no_document_of_keys_is_refused(content: bytes, message: str) -> None:
    """The error says what is wrong and in which line, whatever the bytes are."""
    with pytest.raises(SettingsError, match=message) as caught:
        read_entries(content, {"b"}, where="file")
    assert caught.value.where == "file"


@pytest.mark.parametrize("content", [b"b:\n  c: 1\nb:\n  c: 2\n", b"b:\n  c: 1\n  c: 2\n"])
def test_a_key_that_is_there_twice_is_refused(content: bytes) -> None:
    """YAML parsers take the last one silently; here both lines are named."""
    with pytest.raises(SettingsError, match=r"`b\.c` is set in line 2 and again in line [34]"):
        read_entries(content, {"b"}, where="file")
