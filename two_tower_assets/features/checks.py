"""Comparisons between two ways of computing the same vectors: what blocking checks ask, as plain functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.contract import GOLDEN_TOLERANCE, UserPayload
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.features.history import History
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.features.point_in_time import UserStates
from two_tower_assets.features.reference import user_vector
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import moment_of
from two_tower_assets.sources.requirements import database_errors

_CELLS_A_BLOCK: Final = 1 << 20
_CALLS_A_QUERY: Final = 100


@dataclass(frozen=True)
class Comparison:
    """How far apart two computations of the same rows are."""

    rows: int
    """Rows compared."""
    largest_difference: float
    """Largest absolute difference of any component; infinite when the rows themselves differ."""
    where: str | None
    """Row and column of that difference, in words; None when nothing differs."""

    @property
    def equal(self) -> bool:
        """Whether the two are the same within the contract's tolerance."""
        return self.largest_difference <= GOLDEN_TOLERANCE


def compare_matrices(rpc: FeatureMatrix, frames: FeatureMatrix) -> Comparison:
    """Compare the vectors made from payloads with those computed from frames, row by row."""
    if rpc.ids.tolist() != frames.ids.tolist() or rpc.width != frames.width:
        return Comparison(rows=min(len(rpc), len(frames)), largest_difference=np.inf, where=_shapes(rpc, frames))
    largest, where = 0.0, None
    rows = max(1, _CELLS_A_BLOCK // rpc.width)
    for start in range(0, len(rpc), rows):
        block = slice(start, start + rows)
        difference, row, column = _largest_difference(rpc.rows(block), frames.rows(block))
        if difference > largest:
            largest, where = difference, f"{rpc.ids[start + row]}, column {column}"
    return Comparison(rows=len(rpc), largest_difference=largest, where=where)


def compare_with_rpc(states: UserStates, connection_url: str, *, sample: int, seed: int) -> Comparison:
    """Compare sampled training examples with what the RPC said just before each of them.

    The payload of `get_user_embedding_features(user, as_of := time of the decision)` goes through the readable
    definition; the state comes from the bulk computation.

    Args:
        states: the bulk computation, with its history and space.
        connection_url: the Postgres that holds the snapshot's rows.
        sample: examples compared, or all when there are fewer.
        seed: which ones.

    Raises:
        DatabaseError: the database cannot be reached or refuses.
    """
    history = states.history
    examples = history.examples()
    chosen = np.sort(np.random.default_rng(seed).choice(examples, size=min(sample, len(examples)), replace=False))
    bulk = states.of_decisions(chosen)
    difference, row, column = _largest_difference(bulk, _from_rpc(history, chosen, states.space, connection_url))
    if not difference > 0:
        return Comparison(rows=len(chosen), largest_difference=0.0, where=None)
    user, moment = history.user_ids[int(history.user[chosen[row]])], moment_of(history.time[chosen[row]])
    return Comparison(
        rows=len(chosen), largest_difference=difference, where=f"{user} at {moment.isoformat()}, column {column}"
    )


def _from_rpc(
    history: History, decisions: NDArray[np.int64], space: FeatureSpace, connection_url: str
) -> NDArray[np.float32]:
    """Vectors of the payloads that the RPC returns for each decision's user and moment: float32 [B, user_dim]."""
    users = history.user_ids[history.user[decisions]].to_list()
    moments = [moment_of(time) for time in history.time[decisions]]
    vectors = np.empty((len(decisions), space.user_dim), dtype=np.float32)
    with connect(connection_url) as connection, database_errors("The user payloads could not be read"):
        for start in range(0, len(decisions), _CALLS_A_QUERY):
            block = slice(start, start + _CALLS_A_QUERY)
            asked = {"users": users[block], "moments": moments[block]}
            answers = connection.execute(query("features_user_moments").encode(), asked).fetchall()
            for row, ((payload,), moment) in enumerate(zip(answers, moments[block], strict=True), start):
                vectors[row] = user_vector(UserPayload.model_validate(payload), moment, space)
    return vectors


def _largest_difference(left: NDArray[np.float32], right: NDArray[np.float32]) -> tuple[float, int, int]:
    """Largest absolute difference with its row and column; what is not a number counts as infinitely far."""
    if not left.size:
        return 0.0, 0, 0
    distance = np.abs(left.astype(np.float64) - right)
    distance[np.isnan(distance)] = np.inf
    row, column = divmod(int(distance.argmax()), left.shape[1])
    return float(distance[row, column]), row, column


def _shapes(rpc: FeatureMatrix, frames: FeatureMatrix) -> str:
    only_rpc, only_frames = (
        set(rpc.ids.tolist()) - set(frames.ids.tolist()),
        set(frames.ids.tolist()) - set(rpc.ids.tolist()),
    )
    return (
        f"{len(only_rpc)} rows only in the payloads, {len(only_frames)} only in the frames, "
        f"widths {rpc.width} and {frames.width}"
    )
