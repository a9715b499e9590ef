from __future__ import annotations

import dagster as dg
import pytest

from two_tower_assets.defs import metadata


@pytest.mark.parametrize(
    ("value", "shown"), [(0.24328115282586327, 0.24328), (3.6552786827087402, 3.6553), (1.0, 1.0), (2.5e-7, 2.5e-7)]
)
def test_figures_stay_numbers_with_few_digits(value: float, shown: float) -> None:
    assert metadata.figures({"found": value, "rows": 123_456_789, "where": "x"}) == {
        "found": shown,
        "rows": 123_456_789,
        "where": "x",
    }


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://project.supabase.co/storage/v1/object/public/a", dg.UrlMetadataValue),
        ("http://127.0.0.1:54321/demo", dg.UrlMetadataValue),
        ("file:///home/of/a/bucket", dg.PathMetadataValue),
        ("s3://bucket/folder", dg.PathMetadataValue),
    ],
)
def test_only_what_a_browser_follows_is_a_link(url: str, kind: type) -> None:
    """Anything else is shown with a button that copies it."""
    assert isinstance(metadata.link(url), kind)


def test_a_table_keeps_its_cells_apart() -> None:
    """One line a row; a bar in a cell opens no other cell."""
    assert metadata.table(("a", "b"), [("1", "x|y")]).value == "| a | b |\n| --- | --- |\n| 1 | x\\|y |"
