"""Vocabularies of tag and performer names: which names have a column of their own, and in what order."""

from __future__ import annotations

import polars as pl


def build_vocabulary(names: pl.Series, *, min_frequency: int, max_size: int) -> tuple[str, ...]:
    """Order names by the number of videos that carry them, descending, ties by name (code point order).

    Args:
        names: list[str] with one row a video of the active catalogue; null, repeated and missing names in a row
            count once or not at all, since frequency is a number of videos.
        min_frequency: a name on fewer videos is left out.
        max_size: most names kept; 0 gives an empty vocabulary.
    """
    pairs = pl.DataFrame({"video": pl.int_range(len(names), eager=True), "name": names.cast(pl.List(pl.String))})
    kept = (
        pairs.lazy()
        .explode("name", empty_as_null=False, keep_nulls=False)
        .drop_nulls("name")
        .unique()
        .group_by("name")
        .len("frequency")
        .filter(pl.col("frequency") >= min_frequency)
        .sort(["frequency", "name"], descending=[True, False])
        .head(max_size)
        .collect()
    )
    return tuple(kept["name"])
