from __future__ import annotations

from pathlib import Path

import pytest

from two_tower_assets.defs.publication import publication_lines
from two_tower_assets.defs.site import Site, open_site

VERSION = "20261101T000000Z-abcdef0"
OLDER = "20261001T000000Z-abcdef0"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Site:
    """A home in which one version was trained, of a project that nobody can reach."""
    monkeypatch.chdir(tmp_path)
    variables = {
        "SUPABASE_URL": "http://127.0.0.1:9",
        "SUPABASE_SERVICE_ROLE_KEY": "k",
        "TWO_TOWER_SOURCE": "supabase",
    }
    for name in (
        "TWO_TOWER_DATABASE_URL",
        "SUPABASE_DB_URL",
        "TWO_TOWER_DATA",
        "TWO_TOWER_HOME",
        "TWO_TOWER_SETTINGS",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    site = open_site(home=tmp_path / "home")
    record(site, "training/checkpoint", VERSION)
    return site


def record(site: Site, asset: str, data_version: str, **facts: str) -> None:
    site.store.record(asset, f"{asset} {data_version}", site.home.root, (), facts, data_version=data_version)


def text(site: Site) -> str:
    return "\n".join(publication_lines(site))


def test_trained_is_not_published(site: Site) -> None:
    """Nor is it when an older version's files were stored and went live from the same home."""
    assert "nothing was published and nothing went live" in text(site)
    record(site, "publishing/stored_files", "files", prefix=f"two-tower/v3/{OLDER}")
    record(site, "publishing/release", OLDER)
    assert "nothing was published and nothing went live" in text(site)


def test_stored_is_not_live(site: Site) -> None:
    """The prefix is named, and that nothing went live."""
    record(site, "publishing/stored_files", "files", prefix=f"two-tower/v3/{VERSION}")
    assert f"staged under two-tower/v3/{VERSION}/" in text(site)
    assert "Nothing went live" in text(site)


def test_live_names_where_its_files_are(site: Site) -> None:
    """The URL is that of `current/`, and no server is asked for it."""
    record(site, "publishing/release", VERSION)
    base = "http://127.0.0.1:9/storage/v1/object/public/model-artifacts/two-tower/v3/current"
    assert text(site) == f"Version {VERSION} is live.\nMODEL_ARTIFACT_BASE_URL={base}"


def test_no_version_is_said(site: Site) -> None:
    """A home without a checkpoint has nothing to tell of."""
    (site.home.dagster / "assets" / "latest" / site.origin.dataset / "training" / "checkpoint.json").unlink()
    assert text(site) == "No version was made, and nothing went live."
