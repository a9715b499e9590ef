from __future__ import annotations

import pickle

from two_tower_assets.errors import PublishingError, TwoTowerError


def test_an_error_reads_as_what_where_and_remedy() -> None:
    """One line tells what went wrong, where, and what to do."""
    error = PublishingError("The manifest is altered", where="manifest.json", remedy="Make the version again.")
    assert str(error) == "The manifest is altered [manifest.json]. Make the version again."
    assert isinstance(error, TwoTowerError)


def test_an_error_survives_a_process_boundary() -> None:
    """Executors pickle errors; text and code come back."""
    error = PublishingError("a", where="b", remedy="c")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert (str(copy), copy.code) == (str(error), "release_refused")


def test_every_code_is_unique() -> None:
    """Clients tell situations apart by code."""
    codes = [cls.code for cls in TwoTowerError.__subclasses__()]
    assert len(codes) == len(set(codes))
