"""The whole graph with the preset `hybrid`: bags of videos from the payloads to the answers of a live release."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import psycopg

from two_tower_assets.artifacts.golden import replay
from two_tower_assets.contract import Files
from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres

SETTINGS = """
[sample]
users = 150
videos = 200
decisions_per_user = 25

[features]
preset = "hybrid"
max_video_vocab = 100

[training]
schedules = [60]
batch_size = 128
catalogue_negatives = 128
validate_every = 20

# So few users and steps prove nothing: what is tested here is the graph.
[gate]
min_users = 1
min_recall_ratio = 0
min_purity_ratio = 0
max_nope_ratio = 100
min_new_video_ratio = 0
max_maker_ratio = 100
max_rerank_cost = 1
sampled_examples = 50
"""

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_a_hybrid_release_goes_live_and_answers(two_tower: Command, home: Home) -> None:
    """Every blocking check passes, schema and files have the optional segments, and a real payload finds videos."""
    (home.root / "two_tower.toml").write_text(SETTINGS)
    run = two_tower("run")
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("✓ check") == 14
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        version = connection.execute("select model_version from public.live_release").fetchone()
        user = connection.execute(
            "select user_id::text from user_video_decisions group by 1 order by count(*) desc, 1 limit 1"
        ).fetchone()
    assert version is not None
    assert user is not None
    folder = home.artifacts / version[0]
    assert replay(folder).within
    schema = json.loads((folder / Files.FEATURE_SCHEMA).read_text())
    assert [(segment["name"], segment["size"]) for segment in schema["segments"][4:]] == [
        ("liked_video_vector", 100),
        ("noped_video_vector", 100),
    ]
    made = json.loads((home.dagster / "assets/latest/sample/features/video_vocabulary.json").read_text())
    built = json.loads((home.root / made["root"] / Files.VIDEO_VOCABULARY).read_text())
    assert json.loads((folder / Files.VIDEO_VOCABULARY).read_text()) == built
    manifest = json.loads((folder / Files.MANIFEST).read_text())
    assert Files.VIDEO_VOCABULARY in {file["path"] for file in manifest["files"]}
    answer = two_tower("recommend", user[0], "--limit", "7")
    assert answer.returncode == 0, answer.stderr
    assert sum(line.startswith("│") for line in answer.stdout.splitlines()) == 7
