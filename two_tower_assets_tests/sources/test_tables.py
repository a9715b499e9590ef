"""Validation: what any frame becomes, what is left out and counted, and what is refused with a name and a remedy."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.errors import SourceDataError
from two_tower_assets.sources.coerce import Column, as_names, as_texts, as_time, as_truth, as_uuid, as_whole_number
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.tables import DECISIONS, PROFILES, UNKNOWN_TIME, VIDEOS, SourceTables, validated

NOW = datetime(2026, 11, 1, tzinfo=UTC)
COLUMN = Column("videos", "some_column", "videos.csv")


def uid(number: int) -> str:
    return str(UUID(int=number))


def decision(user: int, video: int, kind: str | None = "like", minutes: float | None = 0) -> dict[str, object]:
    when = None if minutes is None else datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    return {"user_id": uid(user), "video_id": uid(video), "decision_type": kind, "created_at": when}


def tables(
    videos: object = None, decisions: object = None, profiles: pl.DataFrame | None = None, **options: object
) -> SourceTables:
    return validated(
        videos=pl.DataFrame([{"id": uid(1)}] if videos is None else videos, strict=False),
        decisions=pl.DataFrame([decision(7, 1)] if decisions is None else decisions, strict=False),
        profiles=profiles,
        now=NOW,
        **options,  # type: ignore[arg-type]
    )


def test_only_required_columns() -> None:
    """Videos with an id alone and no profiles at all take every default of the contract."""
    made = tables()
    assert dict(made.videos.schema) == dict(VIDEOS)
    assert dict(made.profiles.schema) == dict(PROFILES)
    assert [type(kind) for kind in made.decisions.schema.values()] == [pl.Enum, pl.Enum, pl.String, pl.Datetime]
    row = made.videos.row(0, named=True)
    assert (row["safety_level"], row["is_active"], row["region_codes"], row["tags"]) == (0, True, [], [])
    assert row["created_at"] == UNKNOWN_TIME
    assert row["price"] is None


@pytest.mark.parametrize("column", ["user_id", "video_id", "decision_type", "created_at"])
def test_missing_decision_column(column: str) -> None:
    """A decision column that is missing is named with its table, its file, what is there and the remedy."""
    frame = pl.DataFrame([decision(7, 1)]).drop(column)
    with pytest.raises(SourceDataError) as error:
        tables(decisions=frame, files={"user_video_decisions": "/data/user_video_decisions.csv"})
    assert error.value.where == f"user_video_decisions.{column} in /data/user_video_decisions.csv"
    assert f"lacks the required column `{column}`" in error.value.what
    assert "Required: user_id, video_id, decision_type, created_at" in error.value.remedy


def test_missing_video_id() -> None:
    """Videos without an id column are refused."""
    with pytest.raises(SourceDataError, match=r"videos lacks the required column `id`"):
        tables(videos={"title": ["x"]})


@pytest.mark.parametrize(
    ("videos", "decisions", "table"),
    [
        ({"id": pl.Series([], dtype=pl.String)}, None, "videos"),
        (None, pl.DataFrame(schema=dict(DECISIONS)), "user_video_decisions"),
        (None, [decision(7, 1, minutes=10**6)], "user_video_decisions"),
    ],
)
def test_empty_table(videos: object, decisions: object, table: str) -> None:
    """No videos, no decisions, or none left after validation stop with the table's name."""
    with pytest.raises(SourceDataError, match="no usable rows") as error:
        tables(videos=videos, decisions=decisions)
    assert error.value.where == table


def test_one_user_only() -> None:
    """A single user with a single decision is a valid source."""
    assert tables().decisions.height == 1


def test_left_out_rows_are_counted() -> None:
    """Null, future and repeated decisions are left out by reason; of a repeated one the latest stays."""
    made = tables(
        videos=[{"id": uid(1)}, {"id": uid(2)}],
        decisions=[
            decision(7, 1, "nope", 5),
            decision(7, 1, "like", 3),
            decision(8, 1, minutes=60 * 24 * 40),
            decision(8, 2, None),
            decision(8, 2, minutes=None),
            decision(8, 2, "swipe_odd"),
            decision(9, 99),
        ],
        profiles=pl.DataFrame({"user_id": [uid(7), uid(7), None]}),
    )
    assert made.counts["user_video_decisions"] == {
        "left out: null decision_type": 1,
        "left out: null created_at": 1,
        "left out: decision in the future": 1,
        "left out: duplicate decision of a user about a video, the latest is kept": 1,
        "decision about an unknown video": 1,
        "decision of a user without a profile": 2,
    }
    assert made.counts["profiles"] == {"left out: null user_id": 1, "left out: duplicate profile": 1}
    kept = made.decisions.select("user_id", "video_id", "decision_type").sort("user_id").rows()
    assert kept == [(uid(7), uid(1), "nope"), (uid(8), uid(2), "swipe_odd"), (uid(9), uid(99), "like")]


def test_prices() -> None:
    """Null, zero and negative prices stay; what is not finite becomes null and is counted."""
    made = tables(
        videos={"id": [uid(n) for n in range(6)], "price": [None, 0.0, -5.0, math.nan, math.inf, 9.5]},
    )
    assert made.videos["price"].to_list() == [None, 0.0, -5.0, None, None, 9.5]
    assert made.counts["videos"]["set to null: price that is not finite"] == 2
    assert made.counts["videos"]["negative price"] == 1


def test_repeated_videos_and_external_ids() -> None:
    """The last of a repeated video stays; an external id that another video has becomes null."""
    made = tables(
        videos={
            "id": [uid(1), uid(2), uid(1)],
            "title": ["old", "other", "new"],
            "external_id": ["a", "a", "b"],
        }
    )
    assert made.videos.select("id", "title", "external_id").rows() == [(uid(2), "other", "a"), (uid(1), "new", "b")]
    assert made.counts["videos"]["left out: duplicate video id"] == 1
    shared = tables(videos={"id": [uid(1), uid(2)], "external_id": ["a", "a"]})
    assert shared.videos["external_id"].to_list() == ["a", None]
    assert shared.counts["videos"]["set to null: external_id of another video"] == 1


def test_odd_tag_names_survive() -> None:
    """Quotes, emoji, Japanese, commas and braces in tags stay; blanks, nulls and repetitions go; lists are sorted."""
    names = ['7"', "it's", "🎬", "日本語", "a, b", "{x}", "back\\slash", None, "  ", "it's"]
    made = tables(videos={"id": [uid(1)], "tags": [names]})
    assert made.videos["tags"].to_list() == [sorted(['7"', "it's", "🎬", "日本語", "a, b", "{x}", "back\\slash"])]


def test_bad_id_names_the_row() -> None:
    """An id that is no UUID is refused with its row and value."""
    with pytest.raises(SourceDataError, match=r"Row 2 holds 'tt0114709', which is not a UUID \[videos.id in v.csv\]"):
        tables(videos={"id": [uid(1), "tt0114709"]}, files={"videos": "v.csv"})


def test_ids_in_any_spelling() -> None:
    """Upper case, braces, missing hyphens and raw bytes are read as the one canonical spelling."""
    wanted = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    spelt = ["6BA7B810-9DAD-11D1-80B4-00C04FD430C8", f"{{{wanted}}}", wanted.replace("-", ""), f" {wanted} ", None]
    assert as_uuid(pl.Series(spelt), COLUMN).to_list() == [wanted] * 4 + [None]
    assert as_uuid(pl.Series([UUID(wanted).bytes]), COLUMN).to_list() == [wanted]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-02", datetime(2024, 1, 2, tzinfo=UTC)),
        ("2024-01-02 03:04", datetime(2024, 1, 2, 3, 4, tzinfo=UTC)),
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02 03:04:05.5", datetime(2024, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)),
        ("2024-01-02 03:04:05.123456789+09", datetime(2024, 1, 1, 18, 4, 5, 123_456, tzinfo=UTC)),
        ("2024-01-02 03:04:05-03:30", datetime(2024, 1, 2, 6, 34, 5, tzinfo=UTC)),
    ],
)
def test_times_as_people_write_them(text: str, moment: datetime) -> None:
    """ISO 8601 with and without a zone, and Postgres's own spelling, are read; without a zone it is UTC."""
    assert as_time(pl.Series([text, "", None]), COLUMN).to_list() == [moment, None, None]


def test_times_of_other_types() -> None:
    """Dates, timestamps of other units and zones become UTC microseconds; bare numbers are refused."""
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    assert as_time(pl.Series([moment.date()]), COLUMN).to_list() == [moment]
    tokyo = pl.Series([moment]).dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ns")
    assert as_time(tokyo, COLUMN).to_list() == [moment]
    with pytest.raises(SourceDataError, match="ISO 8601"):
        as_time(pl.Series([1_700_000_000]), COLUMN)


@pytest.mark.parametrize("text", ["2024-13-01", "02.01.2024", "yesterday", "infinity"])
def test_bad_time_is_refused(text: str) -> None:
    """A text that is no time is refused with the row."""
    with pytest.raises(SourceDataError, match="Row 1 holds"):
        as_time(pl.Series([text]), COLUMN)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_times_round_trip(moment: datetime, offset: int) -> None:
    """Any moment written with any zone offset is read as the same moment."""
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    text = f"{moment.isoformat()}{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    expected = (moment - timedelta(minutes=offset)).replace(tzinfo=UTC)
    assert as_time(pl.Series([text]), COLUMN).to_list() == [expected]


def postgres_array(items: list[str | None]) -> str:
    """Write an array as Postgres's array_out does, every item quoted."""
    escaped = ["NULL" if x is None else '"' + x.replace("\\", "\\\\").replace('"', '\\"') + '"' for x in items]
    return "{" + ",".join(escaped) + "}"


LISTS = st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))))


@given(LISTS)
def test_lists_as_text(items: list[str | None]) -> None:
    """A list written as JSON or as a Postgres array is read back without its nulls."""
    wanted = [item for item in items if item is not None]
    text = pl.Series([json.dumps(items), postgres_array(items)])
    assert as_texts(text, COLUMN).to_list() == [wanted, wanted]


@given(LISTS)
def test_names_are_a_sorted_set(items: list[str | None]) -> None:
    """Names come out distinct, without blanks around them, in code point order."""
    made = as_names(pl.Series([items], dtype=pl.List(pl.String)), COLUMN).to_list()[0]
    assert made == sorted(made)
    assert len(made) == len(set(made))
    assert "" not in made


@pytest.mark.parametrize("text", ["a|b", "[1", '{"a": 1}', "{a,}", "[[1]]", "{a", '{"a"b}'])
def test_bad_list_is_refused(text: str) -> None:
    """A text that is neither JSON list nor Postgres array is refused."""
    with pytest.raises(SourceDataError, match="write JSON or a Postgres array"):
        as_texts(pl.Series([text]), COLUMN)


def test_truth_and_whole_numbers() -> None:
    """Truth values are read from words and digits, whole numbers are rounded, and what does not fit is refused."""
    assert as_truth(pl.Series(["t", "0", "", None, "YES"]), COLUMN).to_list() == [True, False, None, None, True]
    assert as_truth(pl.Series([1, 0, None]), COLUMN).to_list() == [True, False, None]
    assert as_whole_number(pl.Series(["1.5", "", "7"]), COLUMN).to_list() == [2, None, 7]
    with pytest.raises(SourceDataError, match="true or false"):
        as_truth(pl.Series(["maybe"]), COLUMN)
    with pytest.raises(SourceDataError, match="Int32"):
        as_whole_number(pl.Series([1e12]), COLUMN)


ODD_TEXTS = ["", " ", "1", "-2.5", "nan", "1e400", "true", "2024-02-30", "2024-01-02 03:04:05+09", '["x"]', "é\x00"]
CELL = st.none() | st.sampled_from([*ODD_TEXTS, '{a,"b"}'])
SOMETIMES_ID = st.sampled_from([uid(1), uid(2), uid(3).upper(), "", None]) | CELL


@given(st.data())
def test_any_text_is_taken_or_refused_clearly(data: st.DataObject) -> None:
    """Whatever text stands in any column, validation gives typed tables or one SourceDataError with a remedy."""
    rows = data.draw(st.integers(0, 3))

    def frame(schema: object, ids: set[str]) -> pl.DataFrame:
        columns = [name for name in schema if name in ids or data.draw(st.booleans())]  # type: ignore[attr-defined]
        cells = {
            name: st.lists(SOMETIMES_ID if name in ids else CELL, min_size=rows, max_size=rows) for name in columns
        }
        return pl.DataFrame(
            {name: pl.Series(data.draw(cell), dtype=pl.String) for name, cell in cells.items()},
        )

    try:
        made = validated(
            videos=frame(VIDEOS, {"id"}),
            profiles=frame(PROFILES, {"user_id"}),
            decisions=frame(DECISIONS, {"user_id", "video_id"}),
            now=NOW,
        )
    except SourceDataError as error:
        assert error.where  # noqa: PT017
        assert error.remedy  # noqa: PT017
    else:
        assert dict(made.videos.schema) == dict(VIDEOS)
        assert made.videos["id"].null_count() == 0
        assert made.decisions.select(pl.struct("user_id", "video_id").is_unique().all()).item()


def test_content_hash_ignores_row_order() -> None:
    """The content hash is the same for shuffled rows and another for a changed value."""
    videos = pl.DataFrame({"id": [uid(1), uid(2)], "tags": [["a"], []], "price": [1.0, None]})
    made = tables(videos=videos)
    assert tables(videos=videos.reverse()).content_hash() == made.content_hash()
    changed = videos.with_columns(tags=pl.Series([[], ["a"]]))
    assert tables(videos=changed).content_hash() != made.content_hash()


def test_csv_and_parquet_folders_agree(tmp_path: Path) -> None:
    """The same rows as CSV (lists as text, no zones, extra columns) and as parquet give the same content."""
    videos = pl.DataFrame(
        {
            "id": [uid(1), uid(2)],
            "title": ["One, two", None],
            "price": [1.5, None],
            "is_active": [True, False],
            "product_released_at": [datetime(2024, 1, 2, tzinfo=UTC), None],
            "tags": [['say "hi"', "日本"], []],
            "unknown_column": [1, 2],
        }
    )
    decisions = pl.DataFrame([decision(7, 1), decision(8, 2, "grid_nope", 5)])
    parquet, csv = tmp_path / "parquet", tmp_path / "csv"
    for folder in (parquet, csv):
        folder.mkdir()
    videos.write_parquet(parquet / "videos.parquet")
    decisions.write_parquet(parquet / "user_video_decisions.parquet")
    as_text = [json.dumps(row, ensure_ascii=False) for row in videos["tags"].to_list()]
    times = pl.col("product_released_at").dt.strftime("%Y-%m-%d %H:%M:%S")
    videos.with_columns(times, tags=pl.Series(as_text)).write_csv(csv / "videos.csv")
    decisions.write_csv(csv / "user_video_decisions.csv")
    assert read_folder(csv, now=NOW).content_hash() == read_folder(parquet, now=NOW).content_hash()


def test_folder_errors(tmp_path: Path) -> None:
    """A missing, a double and a broken file are each named."""
    with pytest.raises(SourceDataError, match="no file with the table videos"):
        read_folder(tmp_path)
    (tmp_path / "videos.parquet").write_text("not parquet")
    with pytest.raises(SourceDataError, match="cannot be read") as error:
        read_folder(tmp_path)
    assert error.value.where == str(tmp_path / "videos.parquet")
    (tmp_path / "videos.csv").write_text("id\n")
    with pytest.raises(SourceDataError, match=r"twice: videos\.parquet and videos\.csv"):
        read_folder(tmp_path)


def test_decisions_may_come_in_blocks() -> None:
    """Codes, counts, the latest of each and the row that an error names are those of all rows at once."""
    moments = [NOW - timedelta(minutes=minute) for minute in (5, 4, 4, 9, 1, 2)]
    rows = pl.DataFrame(
        {
            "user_id": [uid(2), uid(1), uid(2), None, uid(1), uid(3)],
            "video_id": [uid(9), uid(9), uid(9), uid(1), uid(9), uid(8)],
            "decision_type": ["like", "nope", "skip", "like", "like", "nope"],
            "created_at": moments,
        }
    )
    videos = pl.DataFrame({"id": [uid(9)]})
    whole = validated(videos=videos, decisions=rows, now=NOW)
    blocks = validated(videos=videos, decisions=[rows.head(0), *rows.iter_slices(2)], now=NOW)
    assert whole.decisions.to_dicts() == blocks.decisions.to_dicts()
    assert whole.content_hash() == blocks.content_hash()
    assert (
        blocks.counts["user_video_decisions"]
        == {
            "left out: null user_id": 1,
            "left out: duplicate decision of a user about a video, the latest is kept": 2,
            "decision about an unknown video": 1,
            "decision of a user without a profile": 3,
        }
        == whole.counts["user_video_decisions"]
    )
    wrong = rows.with_columns(user_id=pl.Series([uid(2), uid(1), uid(2), "nobody", uid(1), uid(3)]))
    with pytest.raises(SourceDataError, match="Row 4 holds 'nobody'"):
        validated(videos=videos, decisions=wrong.iter_slices(3), now=NOW)
