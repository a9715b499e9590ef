from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import stamina
from click.testing import CliRunner, Result

from two_tower_assets.cli import main
from two_tower_assets.contract import Files
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets_tests.defs.two_releases import serving_videos
from two_tower_assets_tests.publishing.gateway import Gateway, gateway
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, everything, release, rows, target_at


@pytest.fixture
def project(
    postgrest: PostgREST, project_keys: ProjectKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gateway]:
    """A project in the environment, and a home that holds nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWO_TOWER_HOME", str(tmp_path / "home"))
    with gateway(postgrest.url) as state:
        monkeypatch.setenv("SUPABASE_URL", state.url)
        monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", project_keys.service_role)
        yield state


@pytest.fixture
def live(database: str, versions: Path, tmp_path: Path) -> Path:
    """The folder of the version that is live, in the home."""
    serving_videos(database)
    folder = shutil.copytree(versions / OLD, tmp_path / "home" / "artifacts" / OLD)
    release(target_at(database, tmp_path / "buckets"), folder)
    return folder


def upsert(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["upsert-embeddings", *arguments], env={"COLUMNS": "200"})


def test_a_dry_run_says_what_and_where_and_changes_nothing(project: Gateway, live: Path, database: str) -> None:
    """Version, rows, batches, target, what is live, and every lost guarantee; the registry and the rows stay."""
    before = everything(database)
    answer = upsert("--dry-run", "--batch", "70")
    assert answer.exit_code == 0, answer.output
    size = (live / Files.VIDEO_EMBEDDINGS).stat().st_size / 1e6
    assert f"version {OLD}, 300 rows, {size:.1f} MB" in answer.stdout
    assert f"target   {project.url}: live is {OLD} since " in answer.stdout
    assert "with 300 video vectors" in answer.stdout
    assert "5 batches of at most 70 rows" in answer.stdout
    assert "nothing can be rolled back" in answer.stdout
    assert "Nothing was sent." in answer.stdout
    assert project.written == []
    assert everything(database) == before


def test_it_sends_what_is_missing_and_says_how_much(project: Gateway, live: Path, database: str) -> None:
    """Of 300 videos 10 are gone; afterwards all are there, and a second run sends none."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "delete from public.video_embeddings"
            " where video_id in (select id from public.videos order by id limit 10)"
        )
    assert "10 rows sent, 290 were there already." in upsert(str(live / Files.VIDEO_EMBEDDINGS)).stdout
    assert rows(database, "select count(*) from public.video_embeddings") == [(VIDEOS,)]
    assert "0 rows sent, 300 were there already." in upsert().stdout
    assert len(project.written) == 1


def test_what_had_to_be_repeated_is_told_beside_the_result(project: Gateway, live: Path) -> None:
    """A refusal for a while is a line on standard error, and standard output is as ever."""
    project.read_faults = ["429"]
    with stamina.set_testing(True, attempts=6, cap=True):
        answer = upsert(str(live / Files.VIDEO_EMBEDDINGS))
    assert answer.exit_code == 0
    assert answer.stderr == "failed for now: HTTP 429 slow down\n"
    assert answer.stdout == upsert().stdout


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_another_version_s_file_is_refused_in_one_paragraph(
    project: Gateway, live: Path, versions: Path, arguments: list[str]
) -> None:
    """Also by a dry run, which first says what it found."""
    assert live.is_dir()
    answer = upsert(str(versions / NEW / Files.VIDEO_EMBEDDINGS), *arguments)
    assert answer.exit_code == 1
    assert f"The file is of version {NEW}, and version {OLD} is live at the project" in answer.stderr
    assert f"version {NEW}, 312 rows" in answer.stdout
    assert "(release_refused)" in answer.stderr
    assert project.written == []


def test_nothing_live_and_files_elsewhere_are_told_with_the_next_step(
    project: Gateway, database: str, versions: Path, tmp_path: Path
) -> None:
    """Without FILE it looks for the live version's; without either there is advice."""
    answer = upsert()
    assert answer.exit_code == 1
    assert "No release is live" in answer.stderr
    assert "SUPABASE_DB_URL" in answer.stderr
    serving_videos(database)
    release(target_at(database, tmp_path / "buckets"), versions / OLD)
    answer = upsert()
    assert answer.exit_code == 1
    assert f"The files of version {OLD}, which is live at the project, are not here" in answer.stderr
    assert project.written == []


@pytest.mark.parametrize("name", ["SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY"])
def test_a_missing_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The URL and the key are both needed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SUPABASE_SERVICE_ROLE_KEY", "key")
    monkeypatch.delenv(name)
    answer = upsert()
    assert answer.exit_code == 1
    assert f"{name} is not set" in answer.stderr


def test_a_spoilt_file_is_refused_before_the_first_row(project: Gateway, live: Path, tmp_path: Path) -> None:
    """One changed byte: named, and no request writes."""
    folder = shutil.copytree(live, tmp_path / "spoilt")
    path = folder / Files.VIDEO_EMBEDDINGS
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    answer = upsert(str(path))
    assert answer.exit_code == 1
    assert "video_embeddings.parquet was changed" in answer.stderr
    assert project.written == []
