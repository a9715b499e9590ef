from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets.defs.site import open_site
from two_tower_assets.local.postgres import EmbeddedPostgres


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of whoever runs the tests, and no file of theirs."""
    monkeypatch.chdir(tmp_path)
    for name in ("TWO_TOWER_DATABASE_URL", "SUPABASE_DB_URL", "TWO_TOWER_DATA", "TWO_TOWER_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_what_is_served_is_named_by_the_variables_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The serving database, else the pipeline's own, without a look at either."""
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", "postgresql://own/x")
    assert open_site(home=tmp_path).served_from == "postgresql://own/x"
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://serving/x")
    assert open_site(home=tmp_path).served_from == "postgresql://serving/x"


def test_the_embedded_postgres_counts_while_it_runs(cluster: EmbeddedPostgres, tmp_path: Path) -> None:
    """Its URL while it answers; nothing, and nothing started, in a home without one."""
    running = open_site(home=cluster.folder.parent)
    assert running.served_from == cluster.url("sample")
    assert open_site(home=tmp_path).served_from is None
    assert not (tmp_path / "postgres").exists()
