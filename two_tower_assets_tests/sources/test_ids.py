"""Ids are numbered as they come, block by block, and put in order at the end."""

import uuid

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.sources.ids import IdCoder

UUIDS = st.one_of(st.uuids(), st.integers(0, 5).map(lambda number: uuid.UUID(int=number)))


@given(st.lists(st.lists(UUIDS)))
def test_each_row_gets_the_place_of_its_id_among_all_in_order(blocks: list[list[uuid.UUID]]) -> None:
    """Whatever the blocks are, empty ones too."""
    coder = IdCoder()
    codes = [coder.codes(np.array([one.bytes for one in block], dtype="V16")) for block in blocks]
    ids, place = coder.in_order()
    expected = sorted({one for block in blocks for one in block})
    text = ids.text().to_pylist()
    assert text == [str(one) for one in expected]
    assert len(coder) == len(expected)
    rows = [text[place[code]] for block in codes for code in block]
    assert rows == [str(one) for block in blocks for one in block]
