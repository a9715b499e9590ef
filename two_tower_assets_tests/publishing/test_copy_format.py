from __future__ import annotations

import uuid

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.copy_format import HEADER, ROW, TRAILER, decode_rows, encode_rows, uuid_bytes


def random_vectors(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 256)).astype(np.float32)


@given(st.lists(st.uuids(), max_size=20))
def test_uuids_become_their_sixteen_bytes(ids: list[uuid.UUID]) -> None:
    """Any uuids, written in small or capital letters, give the bytes that Python's own class gives."""
    texts = np.array([str(x) if i % 2 else str(x).upper() for i, x in enumerate(ids)], np.str_)
    assert [bytes(row) for row in uuid_bytes(texts)] == [x.bytes for x in ids]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "video-1",
        "0000000g-0000-0000-0000-000000000000",
        "00000000-0000-0000-0000-0000000000000",
        "00000000-0000-0000-0000-00000000000",
        "000000000000000000000000000000000000",
        "日0000000-0000-0000-0000-000000000000",
    ],
)
def test_what_is_no_uuid_is_refused_and_named(text: str) -> None:
    """One wrong id among right ones is found."""
    right = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(PublishingError, match=r"1 id\(s\) are not uuids") as caught:
        uuid_bytes(np.array([right, text]))
    assert repr(text) in str(caught.value)


def test_rows_decode_to_what_was_encoded() -> None:
    """Ids and every bit of the numbers survive."""
    ids = np.array([str(uuid.UUID(int=i)) for i in range(3)])
    rows = decode_rows(encode_rows(ids, random_vectors(3)))
    assert np.array_equal(rows["id"], uuid_bytes(ids))
    assert np.array_equal(rows["vector"], random_vectors(3))
    assert len(encode_rows(ids, random_vectors(3))) == 3 * ROW.itemsize == 3 * 1054


def test_postgres_reads_the_stream_and_writes_the_same_bytes_back(database: str) -> None:
    """A real server takes the stream; the values are right as text, and its own COPY gives identical bytes."""
    ids = np.array([str(uuid.UUID(int=i * 2**100 + i)) for i in range(100)])
    vectors = random_vectors(100)
    stream = HEADER + encode_rows(ids, vectors) + TRAILER
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("set search_path = public, extensions")
        cursor.execute("create temporary table t (video_id uuid, embedding vector(256))")
        with cursor.copy("copy t from stdin (format binary)") as copy:
            copy.write(stream)
        with cursor.copy("copy t to stdout (format binary)") as copy:
            assert b"".join(bytes(piece) for piece in copy) == stream
        rows = cursor.execute("select video_id::text, embedding::real[] from t").fetchall()
    assert [row[0] for row in rows] == ids.tolist()
    np.testing.assert_array_equal(np.array([row[1] for row in rows], np.float32), vectors)
