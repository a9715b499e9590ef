"""Types of decisions are numbered as they come, by their hashes, and each remembers a decision that has it."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.errors import SourceDataError
from two_tower_assets.sources.type_coder import MOST_TYPES, TypeCoder

HASHES = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(0, 5)


def rows_of(hashed: list[int], first_row: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hashes, and as user and video of each row its number."""
    ids = [(first_row + row).to_bytes(16) for row in range(len(hashed))]
    return np.array(hashed, dtype=np.int64).view("V8"), np.array(ids, dtype="V16"), np.array(ids, dtype="V16")


@given(st.lists(st.lists(HASHES)))
def test_equal_hashes_have_one_number_and_different_ones_different_numbers(blocks: list[list[int]]) -> None:
    """Whatever the blocks are, empty ones too; numbers are those from 0 on."""
    coder = TypeCoder()
    number_of: dict[int, int] = {}
    for block in blocks:
        for hashed, number in zip(block, coder.codes(*rows_of(block)).tolist(), strict=True):
            assert number_of.setdefault(hashed, number) == number
    assert sorted(number_of.values()) == list(range(len(number_of)))


def test_names_are_those_of_the_remembered_decisions_in_order(database: str) -> None:
    """Numbers are given as types come, places as their names sort; only the first decision of each is asked for."""
    coder = TypeCoder()
    with psycopg.connect(database) as connection:
        for row, name in enumerate(["nope", "like"]):
            decision = [f"{row:032x}", f"{row:032x}", name]
            connection.execute("insert into videos (id) values (%s)", decision[:1])
            connection.execute("insert into user_video_decisions values (%s, %s, %s, now())", decision)
        assert coder.codes(*rows_of([70])).tolist() == [0]
        assert coder.codes(*rows_of([-3, 70, -3], first_row=1)).tolist() == [1, 0, 1]
        names, place = coder.in_order(connection)
    assert names == ("like", "nope")
    assert place.tolist() == [1, 0]


def test_a_column_of_other_things_than_types_is_refused() -> None:
    """A thousand values may be types, one more may not, and the error says of which column."""
    coder = TypeCoder()
    coder.codes(*rows_of(list(range(MOST_TYPES))))
    with pytest.raises(SourceDataError, match="More than 1,000 different values") as refused:
        coder.codes(*rows_of([MOST_TYPES], first_row=MOST_TYPES))
    assert refused.value.where == "user_video_decisions.decision_type"
