"""The item RPCs against payloads computed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from two_tower_assets.contract import ItemPayload
from two_tower_assets.database.connection import connect
from two_tower_assets_tests.database.rows import Connection, acting_as, add_video, user_id, value, video_id


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as opened:
        add_video(
            opened,
            1,
            price="1980.50",
            duration_seconds=3600,
            product_released_at="2024-05-01 00:00+09",
            distribution_started_at="2024-05-02 12:00:00.000001+00",
            safety_level=2,
            region_codes=["JP", "US"],
            tags=["b", "B", "猫", "a"],
            performers=["花子", "😀 \"q\" 's'"],
        )
        add_video(opened, 2, price="NaN", product_released_at="infinity")
        add_video(opened, 3, is_active=False, price=-1, tags=["a"])
        opened.execute("insert into public.tags (name) values (null)")
        opened.execute(
            "insert into public.video_tags select %s, id from public.tags where name is null", (video_id(1),)
        )
        yield opened


def _payload(connection: Connection, number: int) -> dict[str, Any]:
    return value(connection, "select public.get_item_embedding_features(%s)", video_id(number))


def _batch(connection: Connection, arguments: str = "", *parameters: Any) -> dict[str, Any]:
    rows = connection.execute(
        f"select video_id::text, payload from public.get_item_embedding_feature_batch({arguments})",
        parameters or None,
    )
    return dict(rows.fetchall())


def test_payload_by_hand(connection: Connection) -> None:
    """Every key has the row's value; names are sorted by code point and nameless tags left out."""
    assert _payload(connection, 1) == {
        "video_id": video_id(1),
        "price": 1980.5,
        "duration_seconds": 3600,
        "product_released_at": "2024-04-30T15:00:00+00:00",
        "distribution_started_at": "2024-05-02T12:00:00.000001+00:00",
        "safety_level": 2,
        "region_codes": ["JP", "US"],
        "tags": ["B", "a", "b", "猫"],
        "performers": ["花子", "😀 \"q\" 's'"],
    }


def test_missing_values_are_null_and_empty(connection: Connection) -> None:
    """NaN is no price and infinity no date; lists are never null."""
    assert _payload(connection, 2) == {
        "video_id": video_id(2),
        "price": None,
        "duration_seconds": None,
        "product_released_at": None,
        "distribution_started_at": None,
        "safety_level": 0,
        "region_codes": [],
        "tags": [],
        "performers": [],
    }


def test_payload_is_what_the_model_of_it_reads(connection: Connection) -> None:
    """Python's model names the same keys."""
    assert set(_payload(connection, 1)) == set(ItemPayload.model_fields)
    assert ItemPayload.model_validate(_payload(connection, 1)).price == 1980.5


def test_unknown_video_raises(connection: Connection) -> None:
    """The error names the id and carries the HTTP status 404 for PostgREST; null is unknown too."""
    with pytest.raises(psycopg.Error, match=f"There is no video {video_id(9)}") as caught:
        _payload(connection, 9)
    assert caught.value.sqlstate == "PT404"
    with pytest.raises(psycopg.Error, match="There is no video null"):
        value(connection, "select public.get_item_embedding_features(null)")


def test_batch_holds_active_videos_unless_asked(connection: Connection) -> None:
    """Inactive videos come on request; by single id always."""
    assert list(_batch(connection)) == [video_id(1), video_id(2)]
    assert list(_batch(connection, "p_include_inactive => true")) == [video_id(1), video_id(2), video_id(3)]
    assert _payload(connection, 3)["price"] == -1


def test_batch_equals_single_for_every_video(connection: Connection) -> None:
    """How a payload is asked for does not change it, nor does the session's time zone."""
    connection.execute("set timezone = 'Asia/Tokyo'")
    batch = _batch(connection, "p_include_inactive => true")
    assert batch == {video_id(number): _payload(connection, number) for number in (1, 2, 3)}


def test_pages_are_complete(connection: Connection) -> None:
    """Pages by key and pages by offset hold every active video once, in order."""
    connection.execute(
        """insert into public.videos (id, is_active)
           select ('11111111-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n % 5 > 0
           from generate_series(4, 1400) as n"""
    )
    expected = [video_id(n) for n in range(1, 1401) if n <= 2 or (n >= 4 and n % 5)]
    by_key: list[str] = []
    while page := list(_batch(connection, "p_limit => 300, p_after => %s", by_key[-1] if by_key else None)):
        by_key += page
    by_offset = [video for start in (0, 1000) for video in _batch(connection, "1000, %s", start)]
    assert by_key == by_offset == expected


def test_page_of_videos_reads_the_key_alone(connection: Connection) -> None:
    """A page deep in the catalogue costs what it holds: no sort and no scan of the table."""
    connection.execute(
        """insert into public.videos (id, is_active)
           select gen_random_uuid(), n % 50 = 0 from generate_series(1, 20000) as n"""
    )
    connection.execute("vacuum analyze public.videos")
    plan = value(
        connection,
        """explain (format json) select v.id from public.videos as v
           where (null::uuid is null or v.id > null::uuid) and (false or v.is_active) order by v.id limit 100""",
    )[0]["Plan"]
    assert [plan["Node Type"], plan["Plans"][0]["Node Type"]] == ["Limit", "Index Only Scan"]
    assert plan["Plans"][0]["Index Name"] == "two_tower_videos_active"


@pytest.mark.parametrize(("asked", "given"), [("0", 1), ("-5", 1), ("1001", 1000), ("null", 100)])
def test_limit_is_clamped(connection: Connection, asked: str, given: int) -> None:
    """A limit lies in 1…1000; null is the default."""
    connection.execute("insert into public.videos (id) select gen_random_uuid() from generate_series(1, 1100)")
    assert len(_batch(connection, f"p_limit => {asked}, p_offset => -1")) == given


def test_signed_in_user_gets_the_same_payload_as_the_service_role(connection: Connection) -> None:
    """Row-level security hides nothing of a video, inactive ones included."""
    for number in (1, 3):
        expected = _payload(connection, number)
        with acting_as(connection, "authenticated", user=1):
            assert _payload(connection, number) == expected
        with acting_as(connection, "service_role"):
            assert _payload(connection, number) == expected


def test_batch_works_for_the_service_role(connection: Connection) -> None:
    """The batch and everything it calls is granted to the service role."""
    connection.execute(
        "insert into public.user_video_decisions values (%s, %s, 'like', '2024-01-01')", (user_id(1), video_id(1))
    )
    with acting_as(connection, "service_role"):
        assert len(_batch(connection)) == 2
        users = connection.execute("select * from public.get_user_embedding_feature_batch()").fetchall()
        assert len(users) == 1
