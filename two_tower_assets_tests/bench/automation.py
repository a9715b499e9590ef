"""What automation costs the database: ticks with nothing new over a million decisions, and new videos added."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.publishing.new_videos import embed_new_videos
from two_tower_assets.publishing.news import count_news, users_with_stale_vector, videos_without_vector
from two_tower_assets.publishing.release import publish
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.writer import Connection
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets_tests.artifacts.versions import feature_space, items, make_version
from two_tower_assets_tests.bench.cost import Cost, in_turns, measured
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.database.rows import add_video, column
from two_tower_assets_tests.publishing.releasing import OLD, passing, prepared, target_at, user_probes

DECISIONS = 1_000_000
USERS = 20_000
VIDEOS = 50_000
NEW_VIDEOS = 500
REPETITIONS = 5
BOUND_SECONDS = 0.2
_STAGE = "automation"

FILL = f"""
insert into public.user_video_decisions
select ('00000000-0000-4000-8000-' || lpad(to_hex(n %% {USERS}), 12, '0'))::uuid, gen_random_uuid(), 'like',
       %s::timestamptz - n * interval '20 seconds'
from generate_series(1, {DECISIONS}) as n;
"""


def measure() -> Iterator[Line]:
    """Release 50 000 videos over a million decisions, then look around and add videos."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        postgres = EmbeddedPostgres(home / "postgres", settings={"fsync": "off"})
        postgres.start()
        try:
            url = postgres.ensure_database("bench")
            migrate(url)
            target = target_at(url, home / "buckets")
            until = datetime.now(UTC) - timedelta(hours=1)
            _release(target, make_version(home / "artifacts", OLD, videos=VIDEOS), until)
            with connect(url, autocommit=True) as connection:
                yield from _ticks(connection, until)
                yield from _new_videos(connection, target, home / "artifacts")
        finally:
            postgres.destroy()


def _release(target: Target, folder: Path, until: datetime) -> None:
    """Fill catalogue and decisions, and make a version live; how well its index finds is measured elsewhere."""
    with connect(target.url) as connection, connection.cursor() as cursor:
        with cursor.copy("copy public.videos (id, created_at) from stdin") as copy:
            for video in items(feature_space(), VIDEOS).ids:
                copy.write_row((video, until - timedelta(days=1)))
        cursor.execute(FILL, (until,))
    publish(
        target,
        folder,
        users=prepared(folder),
        probes=user_probes(),
        evaluation=passing(OLD),
        settings=ReleaseSettings(min_ann_recall=0, min_filtered_ann_recall=0),
    )
    with connect(target.url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def _ticks(connection: Connection, until: datetime) -> Iterator[Line]:
    """What each sensor asks when nothing is new, and what counting everything would take."""
    now = datetime.now(UTC)
    count = "select count(*) from public.user_video_decisions"
    naive = _asked(connection, lambda: connection.execute(count).fetchone()).seconds
    ticks: dict[str, Callable[[], object]] = {
        "retrain_on_news": lambda: count_news(connection, until, most_decisions=10_000, most_videos=VIDEOS),
        "embed_new_videos_when_missing": lambda: videos_without_vector(connection, 1001),
        "refresh_users_who_decided": lambda: users_with_stale_vector(connection, OLD, since=until, until=now, most=1),
    }
    for sensor, ask in ticks.items():
        tick = _asked(connection, ask)
        yield Line(
            stage=_STAGE,
            what=f"tick of {sensor}, {DECISIONS} decisions, {VIDEOS} videos, nothing new",
            figure=f"{1000 * tick.seconds:.1f} ms",
            against=f"bound {1000 * BOUND_SECONDS:.0f} ms (counting all decisions: {1000 * naive:.0f} ms)",
            ratio=tick.seconds / BOUND_SECONDS,
            target="< 1.0 x",
            met=tick.seconds < BOUND_SECONDS,
            seconds=tick.seconds,
            peak_mib=tick.grown_mib,
            moved=None,
        )


def _asked(connection: Connection, ask: Callable[[], object]) -> Cost:
    """Median seconds, and the memory of the session that answers."""
    process = connection.info.backend_pid
    (cost,) = in_turns(ask, turns=REPETITIONS, warm_up=1, of=statistics.median, process=process)
    return cost


def _new_videos(connection: Connection, target: Target, artifacts: Path) -> Iterator[Line]:
    """Embed and add new videos beside adding as many known vectors, and look whether each is found by its own."""
    _add(connection, range(NEW_VIDEOS))
    with measured() as inserting:
        _insert_bare(connection)
    bare = inserting.seconds
    _add(connection, range(NEW_VIDEOS, 2 * NEW_VIDEOS))
    with measured() as cost:
        added = embed_new_videos(target, artifacts, most=NEW_VIDEOS).added
    seconds = cost.seconds
    assert len(added) == NEW_VIDEOS
    yield Line(
        stage=_STAGE,
        what=f"{NEW_VIDEOS} new videos embedded and added to an index of {VIDEOS}",
        figure=f"{seconds:.2f} s",
        against=f"inserting as many known vectors: {bare:.2f} s",
        ratio=seconds / bare,
        target="<= 3.0 x",
        met=seconds <= 3 * bare,
        seconds=seconds,
        peak_mib=cost.grown_mib,
        moved=Moved(NEW_VIDEOS, "rows"),
    )
    found = float(np.mean([_is_found(connection, video) for video in added]))
    yield Line(
        stage=_STAGE,
        what="new videos that the index finds by their own vector",
        figure=f"{found:.1%}",
        against="all",
        ratio=found,
        target=">= 0.98 x",
        met=found >= 0.98,
        seconds=None,
        peak_mib=None,
        moved=None,
    )


def _add(connection: Connection, numbers: range) -> None:
    for number in numbers:
        tags = [f"tag {number % 37}", f"tag {number % 31}", f"performer {number % 7}"]
        add_video(connection, number, tags=sorted(set(tags)), price=number, duration_seconds=60 + number)


def _insert_bare(connection: Connection) -> None:
    """Give the videos that lack one the vector of another, a little turned."""
    connection.execute(
        """
        insert into public.video_embeddings (video_id, embedding)
        select n.id, k.embedding
        from (
          select v.id, row_number() over () as place from public.videos as v
          where not exists (select from public.video_embeddings as e where e.video_id = v.id)
        ) as n
        join (select e.embedding, row_number() over () as place from public.video_embeddings as e) as k using (place)
        """
    )


def _is_found(connection: Connection, video: str) -> bool:
    found = column(
        connection,
        "select r.video_id::text from public.video_embeddings as e"
        " cross join lateral public.recommend_videos_ann(e.embedding, 10) as r where e.video_id = %s",
        video,
    )
    return video in found
