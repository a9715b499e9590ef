"""The user RPCs against payloads computed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from two_tower_assets.contract import UserPayload, decision_kind
from two_tower_assets.database.connection import connect
from two_tower_assets_tests.database.rows import (
    Connection,
    acting_as,
    add_video,
    column,
    decide,
    user_id,
    user_payload,
    value,
    video_id,
)

EMPTY = {
    "profile": {"created_at": None},
    "decision_stats": {
        "like_count": 0,
        "nope_count": 0,
        "decision_count": 0,
        "recent_like_at": None,
        "average_like_hour": 12,
    },
    "price_stats": {"mean": 0, "median": 0},
    "tags": [],
    "performers": [],
    "liked_video_ids": [],
    "noped_video_ids": [],
}


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as opened:
        yield opened


@pytest.fixture
def small(connection: Connection) -> Connection:
    """Two users with every kind of decision, three users at the edges, five videos."""
    add_video(connection, 1, price=1000, tags=["b", "a"], performers=["P"])
    add_video(connection, 2, price=2000, tags=["a"])
    add_video(connection, 3, price=None, tags=["猫", "😀 'q\""], performers=["P", "花子"])
    add_video(connection, 4, price="NaN", tags=["A"])
    add_video(connection, 5, price=-500, is_active=False, tags=["a"])
    connection.execute(
        "insert into public.profiles (user_id, created_at) values (%s, '2024-01-01 09:00+09'), (%s, null)",
        (user_id(1), user_id(2)),
    )
    decide(connection, 1, 1, "like", "2024-03-01 10:30+00")
    decide(connection, 1, 2, "swipe_like", "2024-03-01 23:59:59.999999+00")
    decide(connection, 1, 3, "grid_like", "2024-03-03 00:00+00")
    decide(connection, 1, 4, "nope", "2024-03-03 00:00+00")
    decide(connection, 1, 5, "like", "2024-03-04 01:00+00")
    decide(connection, 1, 99, "like", "2024-03-05 02:00+00")
    decide(connection, 1, 98, "superlike", "2024-03-05 02:00+00")
    decide(connection, 2, 1, "swipe_nope", "2024-03-02 12:00+00")
    decide(connection, 2, 2, "dislike", "2024-03-02 13:00+00")
    decide(connection, 3, 1, "like", "2024-03-02 12:00+00")
    return connection


def test_payload_by_hand(small: Connection) -> None:
    """Every key of a payload has the value computed by hand from the rows."""
    assert user_payload(small, 1) == {
        "user_id": user_id(1),
        "profile": {"created_at": "2024-01-01T00:00:00+00:00"},
        "decision_stats": {
            "like_count": 5,
            "nope_count": 1,
            "decision_count": 7,
            "recent_like_at": "2024-03-05T02:00:00+00:00",
            "average_like_hour": (10 + 23 + 0 + 1 + 2) / 5,
        },
        # 1000, 2000, -500: null and NaN are no prices, and video 99 is unknown.
        "price_stats": {"mean": 2500 / 3, "median": 1000},
        "tags": ["a", "a", "a", "b", "猫", "😀 'q\""],
        "performers": ["P", "P", "花子"],
        "liked_video_ids": [video_id(99), video_id(5), video_id(3), video_id(2), video_id(1)],
        "noped_video_ids": [video_id(4)],
    }


def test_payload_is_what_the_model_of_it_reads(small: Connection) -> None:
    """Python's model of a payload has the same values, and nothing is left at its default by a misspelling."""
    payload = UserPayload.model_validate(user_payload(small, 1))
    assert payload.decision_stats.recent_like_at == datetime(2024, 3, 5, 2, tzinfo=UTC)
    assert set(user_payload(small, 1)) == set(UserPayload.model_fields)


def test_two_users_are_never_mixed(small: Connection) -> None:
    """The parameter `user_id` is the caller's, not the column of the same name."""
    second = user_payload(small, 2)
    assert second == {
        "user_id": user_id(2),
        **EMPTY,
        "decision_stats": {**EMPTY["decision_stats"], "nope_count": 1, "decision_count": 2},  # type: ignore[dict-item]
        "noped_video_ids": [video_id(1)],
    }
    assert user_payload(small, 3)["liked_video_ids"] == [video_id(1)]


def test_user_without_any_row_has_the_empty_payload(small: Connection) -> None:
    """Somebody unknown gets the values of nobody, not an error."""
    assert user_payload(small, 77) == {"user_id": user_id(77), **EMPTY}


def test_as_of_is_strict(small: Connection) -> None:
    """A decision at the very moment does not count; decisions of one moment come together."""
    at = "2024-03-03 00:00+00"
    assert user_payload(small, 1, at)["decision_stats"]["decision_count"] == 2
    just_after = user_payload(small, 1, "2024-03-03 00:00:00.000001+00")
    assert just_after["decision_stats"]["decision_count"] == 4
    assert just_after["price_stats"] == {"mean": 1500, "median": 1500}
    assert user_payload(small, 1, "2024-03-01 10:30+00") == {
        "user_id": user_id(1),
        **EMPTY,
        "profile": {"created_at": "2024-01-01T00:00:00+00:00"},
    }


def test_null_as_of_and_no_as_of_mean_now(small: Connection) -> None:
    """A future decision does not count, whether the moment is left out or null."""
    decide(small, 3, 2, "like", "2999-01-01 00:00+00")
    for call in ("get_user_embedding_features(%s)", "get_user_embedding_features(%s, null)"):
        assert value(small, f"select public.{call}", user_id(3))["decision_stats"]["like_count"] == 1
    assert user_payload(small, 3)["decision_stats"]["like_count"] == 2


def test_null_user_is_refused(small: Connection) -> None:
    """No id, no payload."""
    with pytest.raises(psycopg.errors.NullValueNotAllowed):
        value(small, "select public.get_user_embedding_features(null)")


def test_times_are_utc_in_any_session(small: Connection) -> None:
    """The session's time zone changes neither the text of times nor the hours."""
    before = user_payload(small, 1)
    small.execute("set timezone = 'Asia/Tokyo'")
    assert user_payload(small, 1) == before


def test_infinite_times_are_no_times(connection: Connection) -> None:
    """`infinity` is valid in Postgres, not in JSON; the LIKE counts, its time does not."""
    connection.execute("insert into public.profiles (user_id, created_at) values (%s, 'infinity')", (user_id(1),))
    decide(connection, 1, 1, "like", "-infinity")
    payload = user_payload(connection, 1)
    assert payload["profile"] == {"created_at": None}
    assert payload["decision_stats"] == {
        **EMPTY["decision_stats"],  # type: ignore[dict-item]
        "like_count": 1,
        "decision_count": 1,
    }


def test_histories_are_cut_at_a_thousand_newest_first(connection: Connection) -> None:
    """Only the thousand newest ids of either kind are named; equal times are ordered by id; counts stay whole."""
    connection.execute(
        """insert into public.user_video_decisions
           select %s, ('11111111-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
                  case when n %% 2 = 0 then 'like' else 'nope' end,
                  '2024-01-01'::timestamptz + (n / 4) * interval '1 second'
           from generate_series(1, 2400) as n""",
        (user_id(1),),
    )
    payload = user_payload(connection, 1)
    likes = sorted(range(2, 2401, 2), key=lambda n: (-(n // 4), n))
    nopes = sorted(range(1, 2401, 2), key=lambda n: (-(n // 4), n))
    assert payload["liked_video_ids"] == [video_id(n) for n in likes[:1000]]
    assert payload["noped_video_ids"] == [video_id(n) for n in nopes[:1000]]
    assert payload["decision_stats"]["like_count"] == payload["decision_stats"]["nope_count"] == 1200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(decision_type=st.text(st.characters(codec="utf-8", exclude_characters="\x00")) | st.sampled_from(
    ["like", "LIKE", "_like", "alike", "a_like", "like_", "nope", "x_nope", "_nope", "nope ", "likenope", "like_nope"]
))  # fmt: skip
def test_decision_types_are_read_as_in_python(connection: Connection, decision_type: str) -> None:
    """SQL and Python agree about every text."""
    like, nope = connection.execute(
        "select two_tower.is_like(%s), two_tower.is_nope(%s)", (decision_type, decision_type)
    ).fetchone() or (None, None)
    kind = decision_kind(decision_type)
    assert (like, nope) == (kind == "like", kind == "nope")


def test_decision_type_helpers_are_inlined(connection: Connection) -> None:
    """The planner sees through them, so they cost no call a row."""
    plan = column(
        connection,
        "explain (verbose) select two_tower.is_like(d.decision_type) from public.user_video_decisions d",
    )
    assert "is_like" not in "".join(plan)


def _batch(connection: Connection, arguments: str = "", *parameters: Any) -> dict[str, Any]:
    rows = connection.execute(
        f"select user_id::text, payload from public.get_user_embedding_feature_batch({arguments})", parameters or None
    )
    return dict(rows.fetchall())


def test_batch_equals_single_for_every_user(small: Connection) -> None:
    """How a payload is asked for does not change it, at several moments."""
    for as_of in ("infinity", "2024-03-03 00:00+00", "2024-03-02 12:30+00", "2024-03-01 10:30:00.000001+00"):
        batch = _batch(small, "as_of => %s", as_of)
        assert batch
        assert batch == {user: user_payload(small, int(user[-12:], 16), as_of) for user in batch}


def test_batch_holds_users_with_a_decision_before_the_moment(small: Connection) -> None:
    """Users without a profile are there; users who have not decided yet are not."""
    small.execute("insert into public.profiles (user_id) values (%s)", (user_id(50),))
    assert list(_batch(small)) == [user_id(1), user_id(2), user_id(3)]
    assert list(_batch(small, "as_of => '2024-03-02 12:00+00'")) == [user_id(1)]
    assert list(_batch(small, "as_of => '2020-01-01'")) == []


@pytest.fixture
def crowd(connection: Connection) -> list[str]:
    """1101 users; every third has decided in 2024, the others in 2025."""
    connection.execute(
        """insert into public.user_video_decisions
           select ('00000000-0000-4000-8000-' || lpad(to_hex(u), 12, '0'))::uuid, gen_random_uuid(), 'like',
                  make_timestamptz(case when u % 3 = 0 then 2024 else 2025 end, 1, 1, 0, 0, 0)
           from generate_series(1, 1101) as u, generate_series(1, 3)"""
    )
    return [user_id(number) for number in range(1, 1102)]


def test_pages_by_key_are_complete(connection: Connection, crowd: list[str]) -> None:
    """Pages joined by their last id hold every user once, in order, also when few of them qualify."""
    for as_of, expected in (("2026-01-01", crowd), ("2024-06-01", crowd[2::3])):
        seen: list[str] = []
        while page := list(_batch(connection, "100, 0, %s, %s", seen[-1] if seen else None, as_of)):
            seen += page
        assert seen == expected


def test_pages_by_offset_are_complete(connection: Connection, crowd: list[str]) -> None:
    """The older way of paging still finds everyone."""
    pages = [list(_batch(connection, "p_limit => 400, p_offset => %s", start)) for start in (0, 400, 800, 1200)]
    assert [len(page) for page in pages] == [400, 400, 301, 0]
    assert sum(pages, []) == crowd  # noqa: RUF017 - three short lists


def test_nil_user_is_on_the_first_page(small: Connection) -> None:
    """The smallest possible id is nobody's `p_after`."""
    small.execute(
        "insert into public.user_video_decisions values (%s, %s, 'like', '2024-01-01')",
        ("00000000-0000-0000-0000-000000000000", video_id(1)),
    )
    assert len(_batch(small)) == 4


@pytest.mark.parametrize(("asked", "given"), [("0", 1), ("-5", 1), ("1000", 1000), ("100000", 1000), ("null", 100)])
def test_limit_is_clamped(connection: Connection, crowd: list[str], asked: str, given: int) -> None:
    """A limit lies in 1…1000; null is the default."""
    assert list(_batch(connection, f"p_limit => {asked}, p_offset => -3")) == crowd[:given]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def test_no_page_scans_the_table(connection: Connection, crowd: list[str]) -> None:
    """A page's users are found by index probes alone, at the end as at the start."""
    connection.execute("analyze public.user_video_decisions")
    body = value(connection, "select prosrc from pg_proc where proname = 'page_of_users'")
    for after in (None, crowd[-2]):
        statement = (
            body.replace("p_after", f"'{after}'::uuid" if after else "null::uuid")
            .replace("p_limit", "1000")
            .replace("p_offset", "0")
            .replace("p_as_of", "now()")
        )
        explained = value(connection, f"explain (format json) {statement}")
        scans = [node for node in _nodes(explained[0]["Plan"]) if node.get("Relation Name") == "user_video_decisions"]
        assert scans
        assert all(node["Node Type"] in {"Index Only Scan", "Index Scan"} for node in scans), json.dumps(explained)


def test_last_page_reads_no_more_than_the_first(connection: Connection, crowd: list[str]) -> None:
    """Counted by Postgres: the pages touched for a hundred users do not grow with their place in the table."""
    connection.execute("vacuum analyze public.user_video_decisions")

    def buffers(after: str | None) -> int:
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(
                "explain (analyze, buffers, format json) "
                "select * from public.get_user_embedding_feature_batch(100, 0, %s)",
                (after,),
            )
            plan = (cursor.fetchone() or {})["QUERY PLAN"][0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])

    buffers(None)
    assert buffers(crowd[-101]) <= 1.2 * buffers(None)


def test_signed_in_user_gets_the_same_payload_as_the_service_role(small: Connection) -> None:
    """Row-level security hides nothing that a person's own features are made of."""
    expected = user_payload(small, 1)
    with acting_as(small, "authenticated", user=1):
        assert user_payload(small, 1) == expected
    with acting_as(small, "service_role"):
        assert user_payload(small, 1) == expected


def test_signed_in_user_may_not_ask_for_another(small: Connection) -> None:
    """Somebody else's features are refused, as are anyone's to a token without a subject."""
    with acting_as(small, "authenticated", user=2), pytest.raises(psycopg.errors.InsufficientPrivilege):
        user_payload(small, 1)
    with acting_as(small, "authenticated"), pytest.raises(psycopg.errors.InsufficientPrivilege):
        user_payload(small, 1)
