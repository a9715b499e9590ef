from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import psycopg
import pytest

from two_tower_assets.errors import DatabaseError, FeatureError
from two_tower_assets.features.build import build_space
from two_tower_assets.features.checks import compare_matrices, compare_with_rpc
from two_tower_assets.features.history import History
from two_tower_assets.features.items import item_matrix
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.features.payload_pages import pages_of
from two_tower_assets.features.payloads import (
    ITEMS_FILE,
    USERS_FILE,
    read_item_payloads,
    read_user_payloads,
)
from two_tower_assets.features.point_in_time import UserStates
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.stored import store_items, store_users, stored_items, stored_users
from two_tower_assets.features.times import microseconds
from two_tower_assets.features.users import users_of_blocks
from two_tower_assets.settings import FeatureSettings, SampleSettings
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.load import load
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import Snapshot, take_snapshot
from two_tower_assets_tests.features.worlds import busy_world

SAMPLE = SampleSettings(users=120, videos=90, decisions_per_user=20)
PRESETS = pytest.mark.parametrize(
    "settings", [FeatureSettings(), FeatureSettings(preset="hybrid")], ids=["content", "hybrid"]
)


@pytest.fixture
def snapshot(database: str, tmp_path: Path) -> Snapshot:
    """The sample catalogue, with every edge case it makes, loaded and frozen."""
    load(database, generate_sample(SAMPLE), source="sample")
    return take_snapshot(database, tmp_path / "snapshots")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "payloads"
    path.mkdir()
    return path


def matrices(
    url: str, snapshot: Snapshot, space: FeatureSpace, settings: FeatureSettings, into: Path
) -> tuple[FeatureMatrix, FeatureMatrix]:
    """User and item vectors by way of a feature source and its files."""
    into.mkdir()
    store_users(snapshot, url, into, settings)
    blocks = stored_users(into, video_ids=bool(space.videos))
    users = users_of_blocks(blocks, as_of=snapshot.cutoff, space=space)
    (into / "items").mkdir()
    store_items(snapshot, url, into / "items", settings)
    return users, item_matrix(stored_items(into / "items", snapshot), space)


@PRESETS
def test_payloads_and_frames_give_the_same_vectors(
    database: str, snapshot: Snapshot, tmp_path: Path, settings: FeatureSettings
):
    """User and item vectors from the database's functions equal those computed from the snapshot."""
    space = build_space(snapshot, settings=settings)
    assert bool(space.videos) == settings.reads_video_ids
    from_source = [
        matrices(database, snapshot, space, settings.model_copy(update={"feature_source": source}), tmp_path / source)
        for source in ("rpc", "frames")
    ]
    for rpc, frames in zip(*from_source, strict=True):
        comparison = compare_matrices(rpc, frames)
        assert comparison.rows > 80
        assert comparison.equal, comparison


@PRESETS
def test_training_examples_equal_the_function_at_their_moment(
    database: str, snapshot: Snapshot, settings: FeatureSettings
):
    """A sampled example's vector is what the RPC gives as of the microsecond of its decision."""
    history = History.from_snapshot(snapshot)
    space = build_space(snapshot, settings=settings, history=history)
    states = UserStates.from_snapshot(snapshot, history, space)
    comparison = compare_with_rpc(states, database, sample=200, seed=3)
    assert comparison.rows == 200
    assert comparison.equal, comparison


def test_long_histories_name_the_same_videos(database: str, tmp_path: Path):
    """Of more than a thousand LIKEs and NOPEs, with equal times, every path keeps those that the function names."""
    busy = busy_world()
    rows = busy.decisions.select("user_id", "video_id", "decision_type", "created_at").rows()
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.executemany("insert into public.videos (id) values (%s)", busy.videos.select("id").rows())
        cursor.executemany("insert into public.user_video_decisions values (%s, %s, %s, %s)", rows)
    snapshot = take_snapshot(database, tmp_path / "snapshots")
    settings = FeatureSettings(preset="hybrid")
    space = build_space(snapshot, settings=settings)
    history = History.from_snapshot(snapshot)
    user, now = np.array([0]), np.array([microseconds(snapshot.cutoff)])
    states = UserStates.from_snapshot(snapshot, history, space)
    expected = states.vectors(user, history.prefix_at(user, now), now)
    assert np.count_nonzero(expected[0, -len(space.videos) * 2 :]) == 1000, "the vocabulary holds the liked videos"
    for source in ("rpc", "frames"):
        chosen = settings.model_copy(update={"feature_source": source})
        users, _ = matrices(database, snapshot, space, chosen, tmp_path / source)
        np.testing.assert_allclose(users.rows(slice(None)), expected, rtol=0, atol=1e-5)


def test_a_changed_row_is_found(database: str, snapshot: Snapshot):
    """When the database no longer holds the snapshot's rows the comparison says where they differ."""
    history = History.from_snapshot(snapshot)
    states = UserStates.from_snapshot(snapshot, history, build_space(snapshot, settings=FeatureSettings()))
    with psycopg.connect(database) as connection:
        connection.execute("update public.videos set price = coalesce(price, 0) + 10000")
    comparison = compare_with_rpc(states, database, sample=50, seed=0)
    assert not comparison.equal
    assert "column" in str(comparison.where)


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_pages_of_any_size_hold_everything(database: str, snapshot: Snapshot, folder: Path, page: int):
    """Pages of any size give each user and video once, by id, and tell how far they are."""
    said: list[tuple[int, int]] = []
    users = read_user_payloads(
        database, folder, as_of=snapshot.cutoff, page=page, progress=lambda done, total: said.append((done, total))
    )
    videos = read_item_payloads(database, folder, page=page)
    people = snapshot.decisions().select(pl.col("user_id").unique().sort()).collect()["user_id"]
    assert pl.read_parquet(folder / USERS_FILE)["id"].to_list() == people.to_list()
    assert pl.read_parquet(folder / ITEMS_FILE)["id"].to_list() == sorted(generate_sample(SAMPLE).videos["id"])
    assert (users, videos) == (len(people), 90)
    assert said[-1] == (users, users)


@pytest.mark.usefixtures("snapshot")
def test_all_pages_are_of_one_state_of_the_rows(database: str):
    """Whatever session reads them: what is added meanwhile is in none, and what is deleted in its own."""
    with pages_of(database, "features_item", {"page": 10}) as found:
        ids = [video for video, _ in next(found.pages)]
        with psycopg.connect(database) as connection:
            connection.execute("insert into public.videos (id) select gen_random_uuid() from generate_series(1, 50)")
            connection.execute("delete from public.videos where id = (select max(id::text)::uuid from public.videos)")
        ids += [video for page in found.pages for video, _ in page]
    assert len(ids) == found.total == 90
    assert ids == sorted(generate_sample(SAMPLE).videos["id"])


@pytest.mark.usefixtures("snapshot")
def test_a_server_that_cuts_pages_short_is_not_trusted(database: str, folder: Path):
    """Fewer rows a page than asked for change nothing; pages that lose rows are an error, not a smaller file."""
    body = """create or replace function two_tower.page_of_videos(
      p_after uuid, p_limit int, p_offset int, p_include_inactive boolean) returns setof uuid language sql stable as
      $$ select v.id from public.videos as v
      where (p_after is null or v.id > p_after) and {} order by v.id limit 10 $$
    """
    with psycopg.connect(database) as connection:
        connection.execute(body.format("true"))
        connection.commit()
        assert read_item_payloads(database, folder) == 90
        connection.execute(body.format("v.is_active"))
    with pytest.raises(FeatureError, match=r"hold \d+ rows, the table 90"):
        read_item_payloads(database, folder)


def test_later_videos_are_left_aside_and_lost_ones_refused(database: str, snapshot: Snapshot, tmp_path: Path):
    """A video added after the snapshot is not in its features; one deleted before they were read is an error."""
    with psycopg.connect(database) as connection:
        connection.execute("insert into public.videos (title) values ('late')")
    read_item_payloads(database, tmp_path)
    assert stored_items(tmp_path, snapshot)["id"].to_list() == sorted(generate_sample(SAMPLE).videos["id"])
    with psycopg.connect(database) as connection:
        connection.execute("delete from public.videos where id = (select min(id::text)::uuid from public.videos)")
    read_item_payloads(database, tmp_path)
    with pytest.raises(FeatureError, match="1 videos of the snapshot have no item features"):
        stored_items(tmp_path, snapshot)


def test_before_anything_there_are_no_payloads(database: str, snapshot: Snapshot, folder: Path):
    """As of a moment before the first decision the file is there and empty, and so are the vectors."""
    first = snapshot.decisions().select(pl.col("created_at").min()).collect().item()
    assert read_user_payloads(database, folder, as_of=first - timedelta(days=1)) == 0
    space = build_space(snapshot, settings=FeatureSettings())
    assert len(users_of_blocks(stored_users(folder), as_of=snapshot.cutoff, space=space)) == 0


def test_a_database_without_the_functions(empty_database: str, folder: Path):
    """An empty database is refused with the command that mends it."""
    with pytest.raises(DatabaseError, match="two-tower migrate"):
        read_item_payloads(empty_database, folder)


@PRESETS
def test_ml_100k_examples_equal_the_function(database: str, tmp_path: Path, settings: FeatureSettings):
    """500 sampled examples of ml-100k equal the RPC at their moment to 1e-5."""
    root = os.environ.get("TWO_TOWER_DATA_DIR")
    if root is None:
        pytest.skip("TWO_TOWER_DATA_DIR is not set")
    load(database, read_folder(Path(root) / "ml-100k"), source="ml-100k")
    snapshot = take_snapshot(database, tmp_path / "snapshots")
    history = History.from_snapshot(snapshot)
    assert len(history.time) == 100_000
    space = build_space(snapshot, settings=settings, history=history)
    comparison = compare_with_rpc(UserStates.from_snapshot(snapshot, history, space), database, sample=500, seed=1)
    assert comparison.rows == 500
    assert comparison.largest_difference <= 1e-5, comparison
    assert np.isfinite(comparison.largest_difference)
