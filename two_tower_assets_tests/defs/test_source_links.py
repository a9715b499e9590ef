from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from two_tower_assets.defs.source_links import repository_page, source_link
from two_tower_assets.defs.stage import friendly


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://github.com/some/where.git", "https://github.com/some/where"),
        ("git@github.com:some/where.git", "https://github.com/some/where"),
        ("ssh://git@gitlab.com/some/deep/where", "https://gitlab.com/some/deep/where"),
        ("https://user:secret@github.com/some/where.git", "https://github.com/some/where"),
        ("https://git.example.org/some/where.git", None),
        ("/some/folder", None),
        ("", None),
    ],
)
def test_a_known_remote_has_a_page_without_its_password(remote: str, page: str | None) -> None:
    assert repository_page(remote) == page


def test_the_link_leads_to_the_function_and_not_to_what_wraps_it() -> None:
    """A friendly body is found in its own file, at its own line."""

    def body() -> None: ...

    (local, *_) = source_link(friendly(body))["dagster/code_references"].code_references
    assert isinstance(local, dg.LocalFileCodeReference)
    assert Path(local.file_path) == Path(__file__)
    assert local.line_number == body.__code__.co_firstlineno
