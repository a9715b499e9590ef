"""Vectors in Postgres's binary COPY format, whole blocks at once and without a loop over rows.

A row is (uuid, vector(256)): every field has a fixed width, so a block of rows is one structured NumPy array.
Format: the file header and trailer of COPY BINARY, and pgvector's `vector_send` (dimensions int16, unused int16,
float32 numbers), all big-endian.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.contract import EMBEDDING_DIM
from two_tower_assets.errors import PublishingError

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Signature, no flags, no header extension."""
TRAILER: Final = b"\xff\xff"

_UUID_BYTES: Final = 16
_UUID_TEXT: Final = 36
_DASHES: Final = (8, 13, 18, 23)
_NOT_HEX: Final = 255

ROW: Final = np.dtype(
    [
        ("fields", ">i2"),
        ("id_size", ">i4"),
        ("id", "u1", _UUID_BYTES),
        ("vector_size", ">i4"),
        ("dimensions", ">i2"),
        ("unused", ">i2"),
        ("vector", ">f4", EMBEDDING_DIM),
    ]
)
"""One row as it stands in the stream."""


def encode_rows(ids: NDArray[np.str_], vectors: NDArray[np.float32]) -> memoryview:
    """Return the bytes of N rows, without header and trailer.

    Args:
        ids: str [N], uuids of 36 characters.
        vectors: float32 [N, 256].

    Raises:
        PublishingError: an id is not a uuid; the text names it.
    """
    rows = np.zeros(len(ids), ROW)
    rows["fields"] = 2
    rows["id_size"] = _UUID_BYTES
    rows["id"] = uuid_bytes(ids)
    rows["vector_size"] = 4 + 4 * EMBEDDING_DIM
    rows["dimensions"] = EMBEDDING_DIM
    rows["vector"] = vectors
    return rows.view(np.uint8).data


def decode_rows(stream: bytes | memoryview) -> NDArray[np.void]:
    """Read rows (dtype `ROW`) from a piece of a stream that holds whole rows and neither header nor trailer."""
    return np.frombuffer(stream, ROW)


def uuid_bytes(ids: NDArray[np.str_]) -> NDArray[np.uint8]:
    """Return the 16 bytes of each uuid: uint8 [N, 16].

    Raises:
        PublishingError: an id is not a uuid in its usual form of 36 characters.
    """
    if not len(ids):
        return np.zeros((0, _UUID_BYTES), np.uint8)
    letters = np.ascontiguousarray(ids, f"<U{max(_UUID_TEXT, ids.dtype.itemsize // 4)}").view("<u4")
    letters = letters.reshape(len(ids), -1)
    digits = _hex_values(np.delete(letters[:, :_UUID_TEXT], _DASHES, axis=1))
    wrong = (
        (digits == _NOT_HEX).any(axis=1)
        | (letters[:, _DASHES] != ord("-")).any(axis=1)
        | (letters[:, _UUID_TEXT:] != 0).any(axis=1)
    )
    if wrong.any():
        raise PublishingError(
            f"{int(wrong.sum())} id(s) are not uuids, such as {ids[wrong][0]!r}",
            where="vectors to be copied",
            remedy="Ids of videos and of users must be uuids; mend the source and make the version again.",
        )
    return (digits[:, 0::2] << 4 | digits[:, 1::2]).astype(np.uint8)


def _hex_values(letters: NDArray[np.uint32]) -> NDArray[np.uint8]:
    table = np.full(256, _NOT_HEX, np.uint8)
    for value, letter in enumerate("0123456789abcdef"):
        table[ord(letter)] = table[ord(letter.upper())] = value
    return np.where(letters < len(table), table[letters & 0xFF], _NOT_HEX).astype(np.uint8)
