"""The first rows of an empty table: those who read it meanwhile, and tables whose indexes must stay."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from two_tower_assets_tests.sources.sync.project import DECISIONS, Project, Way, contents, run

WAYS = pytest.mark.parametrize("way", ["rest", "direct"])
INDEXES = "select indexrelid from pg_index where indrelid = 'public.user_video_decisions'::regclass order by 1"


@WAYS
def test_readers_see_nothing_or_everything(project: Project, copy_url: str, way: Way) -> None:
    """Whoever counts the decisions while they are brought finds none or all of them, and waits rather than fails."""
    seen: list[int] = []
    end = threading.Event()

    def read() -> None:
        while not end.is_set():
            seen.append(_ask(copy_url, "select count(*) from user_video_decisions")[0][0])

    reader = threading.Thread(target=read)
    reader.start()
    project.bring(way, copy_url)
    end.set()
    reader.join()
    assert set(seen) <= {0, DECISIONS}
    assert len(seen) > 1


def test_a_table_in_use_is_filled_as_it_is(project: Project, copy_url: str) -> None:
    """While somebody reads the empty table for long, its indexes stay and the rows come all the same."""
    before = _ask(copy_url, INDEXES)
    with psycopg.connect(copy_url) as reader:
        reader.execute("select count(*) from user_video_decisions")
        project.bring("direct", copy_url)
        assert reader.execute("select count(*) from user_video_decisions").fetchone() == (DECISIONS,)
    assert _ask(copy_url, INDEXES) == before
    assert contents(copy_url) == contents(project.url)


def test_a_table_that_was_there_before_keeps_its_indexes(project: Project, copy_url: str) -> None:
    """Indexes of a table that this project did not make are not touched."""
    run(copy_url, "insert into two_tower.adopted_tables values ('user_video_decisions')")
    before = _ask(copy_url, INDEXES)
    project.bring("direct", copy_url)
    assert _ask(copy_url, INDEXES) == before
    assert contents(copy_url) == contents(project.url)


def _ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()
