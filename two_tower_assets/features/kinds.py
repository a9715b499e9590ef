"""LIKE, NOPE and OTHER as numbers, and how a column of decision types is read as them."""

from __future__ import annotations

from typing import Final

import polars as pl

LIKE: Final = 1
NOPE: Final = -1
OTHER: Final = 0

_SUFFIXES: Final = {LIKE: "like", NOPE: "nope"}


def decision_kind() -> pl.Expr:
    """Read `decision_type` as `contract.decision_kind` does: LIKE, NOPE or OTHER as int8 column `kind`."""
    decided = pl.col("decision_type")
    value: pl.Expr = pl.lit(OTHER, dtype=pl.Int8)
    for number, word in _SUFFIXES.items():
        matches = (decided == word) | decided.str.ends_with(f"_{word}")
        value = pl.when(matches).then(pl.lit(number, dtype=pl.Int8)).otherwise(value)
    return value.alias("kind")
