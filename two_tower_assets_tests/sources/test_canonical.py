"""The content hash: the documented bytes and nothing else."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime

import polars as pl

from two_tower_assets.sources.canonical import Canonical


def test_hash_of_written_out_bytes() -> None:
    """The hash of a small frame equals SHA-256 over the bytes the module's docstring describes."""
    frame = pl.DataFrame(
        {
            "id": ["b", "a"],
            "price": [None, 1.5],
            "at": [datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), None],
            "tags": [["é", ""], None],
        }
    )
    bytes_of = [
        b"2:id:2;", b"\0\0", struct.pack("<2q", 1, 1), b"ab",
        b"5:price:2;", b"\0\1", struct.pack("<2d", 1.5, 0),
        b"2:at:2;", b"\1\0", struct.pack("<2q", 0, 1_000_000),
        b"4:tags:2;", b"\1\0", struct.pack("<2q", 0, 2), b"\0\0", struct.pack("<2q", 2, 0), "é".encode(),
    ]  # fmt: skip
    digest = Canonical()
    digest.frame(frame, by=["id"])
    assert digest.hexdigest() == hashlib.sha256(b"".join(bytes_of)).hexdigest()


def test_neighbours_are_told_apart() -> None:
    """Text that moves from one row or list to the next changes the hash."""
    frames = [
        pl.DataFrame({"x": [["a"], ["b", "c"]]}),
        pl.DataFrame({"x": [["a", "b"], ["c"]]}),
        pl.DataFrame({"x": [["ab"], ["c", ""]]}),
        pl.DataFrame({"x": [[], ["a", "b", "c"]]}),
        pl.DataFrame({"x": [None, ["a", "b", "c"]]}),
    ]
    hashes = set()
    for frame in frames:
        digest = Canonical()
        digest.series(frame["x"])
        hashes.add(digest.hexdigest())
    assert len(hashes) == len(frames)
