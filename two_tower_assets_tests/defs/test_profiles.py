from __future__ import annotations

import time
from pathlib import Path

import dagster as dg
import pytest

from two_tower_assets.defs.profiles import VARIABLE, profiled


def slow(seconds: float) -> dg.MaterializeResult:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
    return dg.MaterializeResult(asset_key=["stage", "noun"], value=7, metadata={"rows": 3})


def test_an_asset_leaves_its_profile_only_where_somebody_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files in the home and a picture in the metadata, beside what the asset says itself."""
    monkeypatch.setenv("TWO_TOWER_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    asked_nothing = profiled("stage/noun", slow)(0.0)
    assert set(asked_nothing.metadata) == {"rows"}
    assert not (tmp_path / "profiles").exists()
    monkeypatch.setenv(VARIABLE, "1")
    made = profiled("stage/noun", slow)(0.2)
    assert (made.value, made.asset_key) == (7, dg.AssetKey(["stage", "noun"]))
    assert set(made.metadata) == {"rows", "profile", "profile_stacks", "profile_picture"}
    assert ".slow " in (tmp_path / "profiles/stage/noun.folded").read_text()
    assert (tmp_path / "profiles/stage/noun.svg").read_text().startswith("<svg ")
