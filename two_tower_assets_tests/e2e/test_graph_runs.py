"""The whole graph on a small sample, as people run it: real processes, a real Postgres, files on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest

from two_tower_assets.artifacts.golden import replay
from two_tower_assets.contract import Files
from two_tower_assets.home import Home
from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import PostgREST, authenticator_url
from two_tower_assets_tests.publishing.gateway import gateway

SETTINGS = """
[sample]
users = 150
videos = 200
decisions_per_user = 25

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


@pytest.fixture(scope="module")
def first_run(two_tower: Command, home: Home) -> subprocess.CompletedProcess[str]:
    """The first `two-tower run`, on a small sample."""
    (home.root / "two_tower.toml").write_text(SETTINGS)
    return two_tower("run")


def dagster(two_tower: Command, home: Home, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Dagster's own in the environment that `two-tower env` prints."""
    exported = two_tower("env").stdout
    variables = dict(line.removeprefix("export ").split("=", 1) for line in exported.splitlines())
    environment = {
        **os.environ,
        **{name: value.strip("'") for name, value in variables.items()},
        "TWO_TOWER_HOME": str(home.root),
        "TWO_TOWER_SETTINGS": str(home.root / "two_tower.toml"),
    }
    command = [str(Path(sys.executable).parent / program), *arguments]
    root = Path(__file__).parents[2]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)


def live_version(home: Home) -> str:
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        row = connection.execute("select model_version from public.live_release").fetchone()
    assert row is not None
    return str(row[0])


def test_one_command_makes_a_live_release(first_run: subprocess.CompletedProcess[str], home: Home) -> None:
    """The run ends with a table, every file of the contract is in the version's folder, all vectors are live."""
    assert first_run.returncode == 0, first_run.stderr
    assert "two_tower" in first_run.stdout
    version = live_version(home)
    assert version in first_run.stdout
    assert {path.name for path in (home.artifacts / version).iterdir()} == {
        value for name, value in vars(Files).items() if name.isupper() and isinstance(value, str)
    } - {Files.VIDEO_VOCABULARY}
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        rows = connection.execute(
            "select count(*), count(distinct e.video_id), min(e.model_version),"
            " (select count(*) from videos where is_active) from public.video_embeddings as e"
        ).fetchone()
    assert rows is not None
    assert rows[0] == rows[1] == rows[3] > 0
    assert rows[2] == version


def test_golden_vectors_replay_through_onnxruntime(first_run: subprocess.CompletedProcess[str], home: Home) -> None:
    """The live version's public files alone give every golden vector within 1e-5."""
    assert first_run.returncode == 0
    replayed = replay(home.artifacts / live_version(home))
    assert replayed.cases >= 8
    assert replayed.within
    assert max(replayed.features, replayed.embedding) <= 1e-5


def test_the_manifest_names_its_version_and_commit(first_run: subprocess.CompletedProcess[str], home: Home) -> None:
    """The version ends in the first seven digits of the manifest's commit, and no private file is listed."""
    assert first_run.returncode == 0
    version = live_version(home)
    manifest = json.loads((home.artifacts / version / Files.MANIFEST).read_text())
    assert manifest["model_version"] == version
    assert version.endswith("-" + manifest["commit_sha"][:7])
    assert not Files.PRIVATE & {file["path"] for file in manifest["files"]}


def test_a_second_run_makes_nothing_twice(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """Every asset says unchanged, the version stays, and the log of flips does not grow."""
    assert first_run.returncode == 0
    version = live_version(home)
    second = two_tower("run")
    assert second.returncode == 0, second.stderr
    made = [line for line in second.stderr.splitlines() if line.startswith("✓")]
    assert len(made) == 42
    assert all(line.endswith("unchanged") for line in made), made
    assert live_version(home) == version
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        assert connection.execute("select count(*) from public.release_log").fetchone() == (1,)


def test_recommendations_come_from_the_live_release(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """A user's payload, through onnxruntime and the search, gives as many undecided videos as asked for."""
    assert first_run.returncode == 0
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        row = connection.execute(
            "select user_id::text, array_agg(video_id::text) from user_video_decisions group by 1 order by 1 limit 1"
        ).fetchone()
    assert row is not None
    user, decided = row
    answer = two_tower("recommend", user, "--limit", "7")
    assert answer.returncode == 0, answer.stderr
    assert live_version(home) in answer.stdout
    shown = [line.split("│")[4].strip() for line in answer.stdout.splitlines() if line.startswith("│")]
    assert len(shown) == 7
    assert not set(shown) & set(decided)


def test_a_video_that_lost_its_vector_gets_the_same_one_again(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """The job makes by the live model what the release made: a decided video's vector and a newcomer's alike."""
    assert first_run.returncode == 0
    url = EmbeddedPostgres(home.postgres).url("sample")
    lost = (
        "(select v.id from videos v join user_video_decisions d on d.video_id = v.id where v.is_active limit 3)"
        " union (select v.id from videos v left join user_video_decisions d on d.video_id = v.id"
        " where v.is_active and d.video_id is null limit 3)"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        before = dict(
            connection.execute(
                f"select video_id::text, embedding::real[] from public.video_embeddings where video_id in ({lost})"
            ).fetchall()
        )
        assert len(before) > 3
        connection.execute("delete from public.video_embeddings where video_id = any (%s)", (list(before),))
    launched = dagster(two_tower, home, "dg", "launch", "--job", "embed_new_videos")
    assert launched.returncode == 0, launched.stderr[-3000:]
    with psycopg.connect(url) as connection:
        after = dict(
            connection.execute(
                "select video_id::text, embedding::real[] from public.video_embeddings where video_id = any (%s)",
                (list(before),),
            ).fetchall()
        )
    assert after.keys() == before.keys()
    for video, vector in before.items():
        np.testing.assert_allclose(after[video], vector, atol=1e-6)


def test_releases_are_listed_and_the_first_has_nothing_to_go_back_to(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """`two-tower releases` names the live version; a rollback without an earlier one is refused in a sentence."""
    assert first_run.returncode == 0
    listed = two_tower("releases").stdout
    (line,) = [line for line in listed.splitlines() if live_version(home) in line]
    assert "live" in line
    refused = two_tower("rollback")
    assert refused.returncode == 1
    assert "There is no earlier release to go back to" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_frames_make_the_same_features(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home
) -> None:
    """`feature_source: frames` gives vectors of the same bytes as the RPCs."""
    assert first_run.returncode == 0
    assert_the_same_features(two_tower, home, "frames")


def test_rest_makes_the_same_features(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home, programs: Path
) -> None:
    """`feature_source: rest` names what is not set, and gives vectors of the same bytes."""
    assert first_run.returncode == 0
    settings = str(features_from(home, "rest"))
    without = two_tower("run", "--select", 'key:"features/item_payloads"', TWO_TOWER_SETTINGS=settings)
    assert without.returncode == 1
    assert "SUPABASE_URL is not set" in without.stderr
    keys = ProjectKeys(new_secret())
    url = authenticator_url(EmbeddedPostgres(home.postgres).url("sample"), keys)
    folder = home.root / "postgrest"
    with PostgREST(folder, database_url=url, keys=keys, programs=programs) as server, gateway(server.url) as project:
        known = {"SUPABASE_URL": project.url, "SUPABASE_SERVICE_ROLE_KEY": keys.service_role}
        known["TWO_TOWER_SOURCE"] = "sample"  # the rows are there already
        assert_the_same_features(two_tower, home, "rest", **known)


def features_from(home: Home, source: str) -> Path:
    settings = home.root / f"{source}.toml"
    settings.write_text(SETTINGS + f'\n[features]\nfeature_source = "{source}"\n')
    return settings


def assert_the_same_features(two_tower: Command, home: Home, source: str, **variables: str) -> None:
    records = home.dagster / "assets" / "latest" / "sample" / "features"
    before = {noun: json.loads((records / f"{noun}.json").read_text()) for noun in ("item_vectors", "user_vectors")}
    settings = str(features_from(home, source))
    run = two_tower("run", "--select", 'group:"features"', TWO_TOWER_SETTINGS=settings, **variables)
    assert run.returncode == 0, run.stderr
    for noun, record in before.items():
        assert json.loads((records / f"{noun}.json").read_text())["files"] == record["files"]


def test_a_mistake_in_the_settings_is_one_line(two_tower: Command, home: Home) -> None:
    """An unknown key ends in its nearest name, without a traceback."""
    wrong = home.root / "wrong.toml"
    wrong.write_text("[training]\nlearning_rat = 1\n")
    run = two_tower("run", TWO_TOWER_SETTINGS=str(wrong))
    assert run.returncode == 1
    assert "did you mean `training.learning_rate`?" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_broken_folder_stops_with_its_table_and_column(two_tower: Command, tmp_path: Path) -> None:
    """A missing column is named with its file and what to do, and nothing after the sources runs."""
    (tmp_path / "videos.csv").write_text("id\n6f9619ff-8b86-d011-b42d-00c04fc964ff\n")
    (tmp_path / "user_video_decisions.csv").write_text("user_id,video_id,created_at\n")
    run = two_tower("run", "--data", str(tmp_path))
    assert run.returncode == 1
    assert "decision_type" in run.stderr
    assert "user_video_decisions.csv" in run.stderr
    assert "Traceback" not in run.stderr
    assert "features/" not in run.stderr


@pytest.mark.parametrize(
    "program",
    [
        ["dagster", "asset", "materialize", "-m", "two_tower_assets.definitions", "--select"],
        ["dg", "launch", "--assets"],
    ],
)
def test_dagsters_own_commands_make_the_same(
    first_run: subprocess.CompletedProcess[str], two_tower: Command, home: Home, program: list[str]
) -> None:
    """`dagster asset materialize` and `dg launch` work in the environment that `two-tower env` prints."""
    assert first_run.returncode == 0
    run = dagster(two_tower, home, *program, "*")
    assert run.returncode == 0, run.stderr[-3000:]
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("sample")) as connection:
        assert connection.execute("select count(*) from public.release_log").fetchone() == (1,)


def test_passwords_reach_no_log_and_no_event(first_run: subprocess.CompletedProcess[str], home: Home) -> None:
    """The embedded server's password is in no output and in no stored event."""
    password = (home.postgres / "password").read_text().strip()
    assert password
    assert password not in first_run.stdout + first_run.stderr
    with psycopg.connect(EmbeddedPostgres(home.postgres).url("dagster")) as connection:
        found = connection.execute(
            "select count(*) from event_logs where position(%s in event) > 0", (password,)
        ).fetchone()
    assert found == (0,)
