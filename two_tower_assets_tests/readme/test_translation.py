from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from two_tower_assets_tests.readme.markdown import Section, sections

ROOT = Path(__file__).parents[2]
ENGLISH, JAPANESE = ROOT / "README.md", ROOT / "infra" / "docs" / "README.ja.md"
# The one link that each has to the other.
TO_EACH_OTHER = {str(ENGLISH), str(JAPANESE)}
PAIRS = list(zip(sections(ENGLISH), sections(JAPANESE), strict=False))


@pytest.fixture(params=PAIRS, ids=lambda pair: pair[0].title.lstrip("# "))
def pair(request: pytest.FixtureRequest) -> tuple[Section, Section]:
    """One section in both languages."""
    both: tuple[Section, Section] = request.param
    return both


def test_both_have_the_same_sections() -> None:
    """As many headings of the same levels in the same order, none left in English that was translated."""
    english, japanese = sections(ENGLISH), sections(JAPANESE)
    assert [each.level for each in english] == [each.level for each in japanese]
    same = {each.title for each in english} & {each.title for each in japanese}
    assert same == {"# two-tower-assets"}


def test_each_leads_to_the_other() -> None:
    """Whoever opens one finds the other at its top."""
    assert str(JAPANESE) in sections(ENGLISH)[0].links
    assert str(ENGLISH) in sections(JAPANESE)[0].links


def test_code_is_the_same(pair: tuple[Section, Section]) -> None:
    """What people paste is equal byte by byte; comments in shell blocks alone are translated."""
    english, japanese = pair
    assert english.code == japanese.code


def test_tables_are_the_same(pair: tuple[Section, Section]) -> None:
    """Rows, cells, figures and keys: nothing in a table differs but its words."""
    english, japanese = pair
    assert english.rows == japanese.rows


def test_keys_commands_and_links_are_the_same(pair: tuple[Section, Section]) -> None:
    """Every word set as code and every link of a section is in the other language's too, as often."""
    english, japanese = pair
    assert english.spans == japanese.spans
    assert [each for each in english.links if each not in TO_EACH_OTHER] == [
        each for each in japanese.links if each not in TO_EACH_OTHER
    ]


def test_figures_and_points_are_the_same(pair: tuple[Section, Section]) -> None:
    """No figure of the prose is lost or altered (numbers that English spells out may be figures), and no point is."""
    english, japanese = pair
    assert Counter(english.figures) <= Counter(japanese.figures)
    assert english.items == japanese.items
