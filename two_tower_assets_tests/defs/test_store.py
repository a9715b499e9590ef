from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets.defs.store import AssetStore, Facts, fingerprint_of
from two_tower_assets.errors import MissingAssetError
from two_tower_assets.home import Home


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    return AssetStore(Home(tmp_path), "sample")


def fill(into: Path) -> Facts:
    (into / "table.txt").write_text("rows")
    return {"rows": 4}


def test_what_was_built_is_found_again_by_its_fingerprint(store: AssetStore) -> None:
    """The record gives back files and facts."""
    made = store.build("features/things", "f" * 64, store.home.snapshots, fill)
    assert store.find("f" * 64) == made == store.load("features/things")
    assert made.path(store.home, "table.txt").read_text() == "rows"
    assert made.facts == {"rows": 4}


def test_an_altered_file_is_made_again_rather_than_reused(store: AssetStore) -> None:
    """Reuse asks for the recorded hash, not only for the name."""
    made = store.build("features/things", "f" * 64, store.home.snapshots, fill)
    made.path(store.home, "table.txt").write_text("other")
    assert store.find("f" * 64) is None


def test_a_failure_leaves_no_folder_and_no_record(store: AssetStore) -> None:
    """Half-made folders never look made."""

    def fail(into: Path) -> Facts:
        fill(into)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.build("features/things", "f" * 64, store.home.snapshots, fail)
    assert list(store.home.snapshots.iterdir()) == []
    with pytest.raises(MissingAssetError, match="has not been made for sample yet"):
        store.load("features/things")


def test_missing_files_are_named(store: AssetStore) -> None:
    """An asset whose files were deleted says which and how to make it again."""
    made = store.build("features/things", "f" * 64, store.home.snapshots, fill)
    made.path(store.home, "table.txt").unlink()
    with pytest.raises(MissingAssetError, match=r"table\.txt.*Materialize it first"):
        store.load("features/things")


def test_data_sets_do_not_see_each_other(store: AssetStore) -> None:
    """The latest of one data set is not the latest of another."""
    store.build("features/things", "f" * 64, store.home.snapshots, fill)
    with pytest.raises(MissingAssetError):
        AssetStore(store.home, "other").load("features/things")


def test_fingerprints_keep_their_parts_apart() -> None:
    """Moving a character from one part to the next changes the fingerprint."""
    assert fingerprint_of("a", "bc", "d") != fingerprint_of("a", "b", "cd")
