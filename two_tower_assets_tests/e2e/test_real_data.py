"""The whole graph on real decisions, by a schedule shorter than the defaults: a release goes live and answers."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.publishing.recommend import recommend

BASELINES = (
    "most_popular",
    "popular_7_days",
    "popular_30_days",
    "content_cosine",
    "item_knn",
    "ease",
    "als",
    "bpr",
)
SETTINGS = """
[training]
schedules = [120]

[evaluation]
resamples = 100
"""
"""A fifth of the steps."""
Command = Callable[..., subprocess.CompletedProcess[str]]


def database_of(home: Home, name: str) -> str:
    """URL of the database that a folder's rows were loaded into."""
    postgres = EmbeddedPostgres(home.postgres)
    with psycopg.connect(postgres.url()) as connection:
        rows = connection.execute(
            "select datname from pg_database where starts_with(datname, %s)", (name,)
        ).fetchall()
    ((database,),) = rows
    return postgres.url(database)


@pytest.mark.timeout(1800)  # whole fits and their evaluation, with whatever else the machine is doing
@pytest.mark.parametrize("folder", ["ml-100k", "steam-au-reviews"])
def test_real_decisions_become_a_live_release_that_answers(two_tower: Command, home: Home, folder: str) -> None:
    """Every blocking check passes, the model is above all baselines, and a payload's vector finds 50 videos."""
    root = os.environ.get("TWO_TOWER_DATA_DIR")
    if root is None:
        pytest.skip("TWO_TOWER_DATA_DIR is not set")
    (home.root / "two_tower.toml").write_text(SETTINGS)
    run = two_tower("run", "--data", str(Path(root) / folder))
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("✓ check") == 14
    (report,) = home.dagster.glob(f"assets/latest/{folder.replace('-', '_')}_*/evaluation/report.json")
    made = json.loads(report.read_text())
    trials = json.loads((home.root / made["root"] / "report.json").read_text())["trials"]
    metrics = trials["global"]["groups"]["known"]["metrics"]
    for name in ("recall@200", "ndcg@10"):
        best = max(metrics[method][name]["mean"] for method in BASELINES)
        assert metrics["two_tower"][name]["mean"] >= best
    url = database_of(home, folder.replace("-", "_"))
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select user_id::text from user_video_decisions group by 1 order by count(*) desc, 1 limit 1"
        ).fetchone()
    assert row is not None
    answer = recommend(url, home.artifacts, row[0], limit=50, as_of=datetime.now(UTC))
    assert len(answer.items) == 50
    similarities = [item.similarity for item in answer.items]
    assert similarities == sorted(similarities, reverse=True)
