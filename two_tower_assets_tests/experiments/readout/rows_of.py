"""Experiments, lists and decisions in a database, one by one or thousands at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from psycopg.rows import TupleRow

from two_tower_assets_tests.database.rows import user_id, video_id

Connection = psycopg.Connection[TupleRow]

START = datetime(2026, 10, 1, tzinfo=UTC)
LATER = START + timedelta(days=60)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def plan_experiment(
    connection: Connection,
    name: str = "taste",
    *,
    arms: Sequence[tuple[str, float]] = (("control", 0.5), ("candidate", 0.5)),
    kind: str = "arms",
    primary: str = "likes_per_user",
    guardrails: Sequence[str] = (),
    planned: int = 1000,
    traffic: str = "[0,1)",
) -> str:
    """Insert an experiment that started at `START`, and return its name."""
    connection.execute(
        "insert into public.experiments (name, kind, salt, primary_metric, guardrails, planned_users) "
        "values (%s, %s, %s, %s, %s, %s)",
        (name, kind, f"salt of {name}", primary, list(guardrails), planned),
    )
    for place, (arm, weight) in enumerate(arms):
        connection.execute(
            "insert into public.experiment_arms (experiment, arm, place, weight) values (%s, %s, %s, %s)",
            (name, arm, place, weight),
        )
    connection.execute(
        "update public.experiments set state = 'running', traffic = %s::numrange, started_at = %s where name = %s",
        (traffic, START, name),
    )
    return name


def serve(
    connection: Connection,
    user: int,
    arm: str,
    videos: Sequence[int],
    after: timedelta,
    *,
    experiment: str | None = "taste",
    teams: Sequence[str] | None = None,
    chances: Sequence[float] | None = None,
) -> str:
    """Serve a list so long after the start, and return its id."""
    ones = [1.0] * len(videos)
    found = connection.execute(
        "insert into public.served_lists (list_id, user_id, model_version, served_at, arm, first_position, video_ids,"
        " scores, sources, propensities, experiment, teams) "
        "values (gen_random_uuid(), %s, 'v', %s, %s, 0, %s::uuid[], %s, %s, %s, %s, %s) returning list_id::text",
        (
            user_id(user),
            START + after,
            arm,
            [video_id(video) for video in videos],
            ones,
            ["model"] * len(videos),
            list(chances or ones),
            experiment,
            None if teams is None else list(teams),
        ),
    ).fetchone()
    assert found is not None
    return str(found[0])


def decided(connection: Connection, user: int, video: int, after: timedelta, kind: str = "like") -> None:
    """Let a user decide so long after the start (or before it)."""
    connection.execute(
        "insert into public.user_video_decisions values (%s, %s, %s, %s)",
        (user_id(user), video_id(video), kind, START + after),
    )


def crowd(
    connection: Connection,
    counts: Sequence[tuple[str, np.ndarray, np.ndarray]],
    *,
    days: int = 10,
    before: np.ndarray | None = None,
    shown: int = 30,
    first_user: int = 0,
    experiment: str = "taste",
) -> None:
    """Fill the database with users who were served one list each, spread evenly over some days.

    Args:
        connection: to the database.
        counts: by arm, how many of the first videos of the list each user liked, and how many each NOPEd after them.
        days: over which they enter.
        before: LIKEs of each user of all arms in the four weeks before.
        shown: videos of a list.
        first_user: number of the first one.
        experiment: that served them.
    """
    lists: list[tuple[Any, ...]] = []
    decisions: list[tuple[Any, ...]] = []
    place = first_user
    videos = [video_id(video) for video in range(shown)]
    for arm, liked, noped in counts:
        for number, (likes, nopes) in enumerate(zip(liked.tolist(), noped.tolist(), strict=True)):
            at = START + days * DAY * number / len(liked)
            lists.append((user_id(place), at, arm, videos, [1.0] * shown, ["model"] * shown, experiment))
            kinds = ["like"] * int(likes) + ["nope"] * int(nopes)
            decisions += [(user_id(place), videos[n], kind, at + HOUR) for n, kind in enumerate(kinds)]
            if before is not None:
                past = int(before[place - first_user])
                decisions += [(user_id(place), video_id(10_000 + n), "like", at - DAY) for n in range(past)]
            place += 1
    with connection.cursor() as cursor:
        cursor.execute(
            "create temporary table coming (u uuid, t timestamptz, a text, v uuid[], s float8[], o text[], e text)"
        )
        with cursor.copy("copy coming from stdin") as copy:
            for row in lists:
                copy.write_row(row)
        cursor.execute(
            "insert into public.served_lists (list_id, user_id, model_version, served_at, arm, first_position,"
            " video_ids, scores, sources, propensities, experiment)"
            " select gen_random_uuid(), u, 'v', t, a, 0, v, s, o, s, e from coming"
        )
        cursor.execute("drop table coming")
        with cursor.copy("copy public.user_video_decisions from stdin") as copy:
            for row in decisions:
                copy.write_row(row)
        cursor.execute("analyze public.served_lists, public.user_video_decisions")


def people(seed: int, users: int, effect: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LIKEs, NOPEs and LIKEs before of users with rates of their own."""
    random = np.random.default_rng(seed)
    rate = random.gamma(2.0, 0.5, users)
    likes = np.minimum(random.poisson(3 * rate * (1 + effect)), 20)
    return likes, np.minimum(random.poisson(2 * rate), 10), random.poisson(6 * rate)


def two_arms(
    connection: Connection, effect: float, users: int = 1000, experiment: str = "taste", seed: int = 1
) -> None:
    """Fill both arms."""
    (likes, nopes, past), (more, other, own) = people(seed, users // 2), people(seed + 1000, users // 2, effect)
    counts = [("control", likes, nopes), ("candidate", more, other)]
    first = 1_000_000 * seed
    crowd(connection, counts, before=np.concatenate([past, own]), experiment=experiment, first_user=first)
