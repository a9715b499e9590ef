"""Callers who are wrong, heavy or many."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import httpx
import psycopg

from two_tower_assets.local.keys import ProjectKeys, new_secret, sign_token
from two_tower_assets_tests.artifacts.versions import video_id
from two_tower_assets_tests.e2e.faults.case import Case, Happen
from two_tower_assets_tests.e2e.faults.world import World, bearer, post
from two_tower_assets_tests.e2e.stack.people import FAN, OTHER

NOBODY, COLLECTOR = (str(UUID(int=0xFA_0170_0000 + number)) for number in range(2))
MANY_LIKES, MANY_CALLERS = 10_000, 1000
BODY_BYTES = 10 * 1024 * 1024


def _with(token: str) -> Happen:
    return lambda world: world.ask(bearer(token))


def _expired(world: World) -> Sequence[httpx.Response]:
    return world.ask(bearer(world.keys.project.authenticated(FAN, lifetime=timedelta(hours=-1))))


def _another_projects(world: World) -> Sequence[httpx.Response]:
    return world.ask(bearer(ProjectKeys(new_secret()).authenticated(FAN)))


def _unsigned(world: World) -> Sequence[httpx.Response]:
    _, claims, _ = world.keys.project.authenticated(FAN).split(".")
    return world.ask(bearer(f"{_UNSIGNED_HEAD}.{claims}."))


def _changed(world: World) -> Sequence[httpx.Response]:
    head, _, signature = world.keys.project.authenticated(FAN).split(".")
    _, claims, _ = world.keys.service_role.split(".")
    return world.ask(bearer(f"{head}.{claims}.{signature}"))


def _of_another_audience(world: World) -> Sequence[httpx.Response]:
    claims = {"sub": FAN, "role": "authenticated", "aud": "another", "exp": int(time.time()) + 3600}
    return world.ask(bearer(sign_token(world.keys.secret, claims)))


def _of_another_user(world: World) -> Sequence[httpx.Response]:
    return world.ask(bearer(world.keys.project.authenticated(OTHER)), user=FAN)


def _without_token(world: World) -> Sequence[httpx.Response]:
    return world.ask({})


def _anon(world: World) -> Sequence[httpx.Response]:
    return world.ask(bearer(world.keys.anon))


def _large_body(world: World) -> Sequence[httpx.Response]:
    body = {"user_id": FAN, "more": "x" * BODY_BYTES}
    return [post(function.url, world.as_server, body) for function in world.functions]


def _unknown(world: World) -> Sequence[httpx.Response]:
    return world.ask(user=NOBODY)


def _many_likes(world: World) -> Sequence[httpx.Response]:
    with _collector(world):
        return world.ask(user=COLLECTOR)


def _thousand(world: World) -> Sequence[httpx.Response]:
    with world.fresh(DATABASE_TIMEOUT_SECONDS="5", ARTIFACT_TIMEOUT_SECONDS="5") as fresh:
        answers = fresh.crowd(MANY_CALLERS)
        assert all(function.is_up for function in fresh.functions)
        return answers


@contextmanager
def _collector(world: World) -> Iterator[None]:
    """Somebody who likes more videos than there are in the release, until the block ends."""
    with psycopg.connect(world.released.database, autocommit=True) as connection:
        connection.execute(
            "insert into public.videos (id, title) select md5(n::text)::uuid, 'archived'"
            " from generate_series(1, %s) n",
            [MANY_LIKES],
        )
        connection.execute(
            "insert into public.user_video_decisions (user_id, video_id, decision_type, created_at)"
            " select %s::uuid, md5(n::text)::uuid, 'like', now() - n * interval '1 minute'"
            " from generate_series(1, %s) n"
            " union all select %s::uuid, %s::uuid, 'like', now()",
            [COLLECTOR, MANY_LIKES, COLLECTOR, video_id(0)],
        )
        try:
            yield
        finally:
            connection.execute("delete from public.user_video_decisions where user_id = %s", [COLLECTOR])
            connection.execute("delete from public.videos where title = 'archived'")


_UNSIGNED_HEAD = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
_WHO = frozenset({"401 unauthorized"})
_GOOD = frozenset({"200"})

CASES = (
    Case("no token", _without_token, _WHO),
    Case("a token that is no token", _with("nonsense"), _WHO),
    Case("an expired token", _expired, _WHO),
    Case("a token of another project", _another_projects, _WHO),
    Case("a token without a signature", _unsigned, _WHO),
    Case("a token whose claims were changed", _changed, _WHO),
    Case("a token for another audience", _of_another_audience, _WHO),
    Case("the anon key", _anon, _WHO),
    Case("another user's token", _of_another_user, frozenset({"403 not_your_user"})),
    Case(f"a body of {BODY_BYTES // 1024**2} MiB", _large_body, frozenset({"413 body_too_large"})),
    Case("a user whom nobody knows", _unknown, _GOOD),
    Case(f"a user with {MANY_LIKES} LIKEs", _many_likes, _GOOD),
    Case(
        f"{MANY_CALLERS} requests at once",
        _thousand,
        _GOOD | {"503 overloaded", "503 database_unavailable"},
    ),
)
