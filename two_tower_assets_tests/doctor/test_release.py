"""Looks at a release that is whole, and at ones that lost something."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from two_tower_assets.contract import Files
from two_tower_assets.doctor.release import look_at_release
from two_tower_assets.errors import DatabaseError, PublishingError
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.doctor.looks import Record, levels, note, only
from two_tower_assets_tests.publishing.releasing import NEW, OLD, release


def stored(tmp_path: Path, folder: str) -> Path:
    return tmp_path / "buckets" / "model-artifacts" / "two-tower" / "v3" / folder


def test_before_the_first_release(target: Target) -> None:
    """Nothing to look at."""
    assert levels(look_at_release(target)) == ["unused"]


def test_a_whole_release(target: Target, new: Path) -> None:
    """One line names the version."""
    release(target, new)
    found = only(look_at_release(target))
    assert found.level == "ok"
    assert NEW in found.what


def test_a_lost_file_and_a_cut_one(target: Target, new: Path, tmp_path: Path, record_property: Record) -> None:
    """Each is named, in the version's folder and in `current/`."""
    release(target, new)
    (stored(tmp_path, NEW) / Files.NORMALIZER).unlink()
    tower = stored(tmp_path, "current") / Files.USER_TOWER
    tower.write_bytes(tower.read_bytes()[:-1])
    found = list(look_at_release(target))
    assert levels(found) == ["problem", "problem"]
    assert f"{NEW}/normalizer.json is missing" in found[0].what
    assert "current/user_tower.onnx is missing, or of another size" in found[1].what
    note(record_property, "a damaged release", *found)


def test_current_that_does_not_follow(target: Target, old: Path, new: Path, tmp_path: Path) -> None:
    """Its manifest is of the version before."""
    release(target, old)
    before = (stored(tmp_path, "current") / Files.MANIFEST).read_bytes()
    release(target, new)
    (stored(tmp_path, "current") / Files.MANIFEST).write_bytes(before)
    assert "current/ does not follow" in only(look_at_release(target)).what
    assert OLD.encode() in before


def test_files_that_are_gone(target: Target, new: Path, tmp_path: Path) -> None:
    """The version's whole folder is missing."""
    release(target, new)
    stored(tmp_path, NEW).rename(tmp_path / "elsewhere")
    assert f"the files of the live version {NEW} are not in storage" in only(look_at_release(target)).what


def test_vectors_that_are_gone(target: Target, new: Path) -> None:
    """The live version's table lost rows, which the database itself says."""
    release(target, new)
    with psycopg.connect(target.url) as connection:
        connection.execute("delete from public.video_embeddings")
    with pytest.raises(PublishingError, match=r"300|vectors"):
        list(look_at_release(target))


def test_a_database_without_the_tables(empty_database: str, target: Target) -> None:
    """An unmigrated database is told to be migrated."""
    with pytest.raises(DatabaseError, match="two-tower migrate"):
        list(look_at_release(Target(empty_database, target.buckets)))
