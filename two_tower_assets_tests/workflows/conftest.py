"""A project for the workflow's jobs: rows in a Postgres of their own, and a server that stores as Supabase does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from two_tower_assets.local.keys import new_secret
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.storage_server import StorageServer
from two_tower_assets.settings import load_settings
from two_tower_assets.sources.fill import fill
from two_tower_assets.sources.origin import Origin
from two_tower_assets_tests.conftest import _database
from two_tower_assets_tests.lenient_gate import LENIENT_GATE

SETTINGS = """
[sample]
users = 120
videos = 150
decisions_per_user = 20

[training]
schedules = [40]
batch_size = 128
catalogue_negatives = 128
validate_every = 20

[evaluation]
resamples = 50
"""


@dataclass(frozen=True)
class Project:
    """What stands for the Supabase project."""

    database: str
    """URL of its Postgres."""
    storage: StorageServer
    key: str
    files: Path
    """Where the storage server keeps its objects."""

    @property
    def secrets(self) -> dict[str, str]:
        """The repository's secrets."""
        return {
            "SUPABASE_URL": self.storage.url,
            "SUPABASE_SERVICE_ROLE_KEY": self.key,
            "SUPABASE_DB_URL": self.database,
            "MODEL_ARTIFACTS_BUCKET": "models",
            "MODEL_ARTIFACTS_PREFIX": "tt/v1",
        }

    @property
    def confidential(self) -> set[str]:
        """What may stand in no log."""
        return {self.key, urlsplit(self.database).password or self.key}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A settings file with which both jobs take seconds."""
    file = tmp_path_factory.mktemp("settings") / "two_tower.toml"
    file.write_text(SETTINGS + LENIENT_GATE)
    return file


@pytest.fixture(scope="module")
def project(
    cluster: EmbeddedPostgres, migrated_template: str, settings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A project with rows and without a release."""
    files, key = tmp_path_factory.mktemp("storage"), new_secret()
    for url in _database(cluster, template=migrated_template):
        fill(url, Origin("sample", dataset="sample"), load_settings(settings).sample)
        with StorageServer(files, key=key) as storage:
            yield Project(url, storage, key, files)
