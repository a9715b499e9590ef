"""An instance as the chart configures it, over a real Postgres and a stand-in for the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import yaml
from psycopg import sql

from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.conftest import _database
from two_tower_assets_tests.kubernetes.chart.instance import instance_configuration
from two_tower_assets_tests.kubernetes.chart.values import read_values
from two_tower_assets_tests.kubernetes.cluster import Cluster, listening
from two_tower_assets_tests.kubernetes.manifests import FOLDER

PASSWORD = "p@ss/w$rd:%?#"  # noqa: S105 - of a throw-away database
KEY = "sb_secret_of_a_test"

# So few steps teach nothing: what is tested is where they run.
SETTINGS = """
[sample]
users = 120
videos = 150
decisions_per_user = 20

[training]
schedules = [20]
batch_size = 128
catalogue_negatives = 128
"""


@dataclass(frozen=True)
class Deployed:
    """What the daemon has: an instance that launches runs into the cluster."""

    instance: dg.DagsterInstance
    cluster: Cluster
    home: Path
    dagster_home: Path


@pytest.fixture(scope="module")
def pipeline_database(cluster: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """URL of the pipeline's Postgres."""
    yield from _database(cluster, template=migrated_template)


@pytest.fixture(scope="module")
def history(cluster: EmbeddedPostgres) -> Iterator[tuple[str, psycopg.conninfo.ConnectionInfo]]:
    """Name of a database for Dagster's history, owned by the user that the values name."""
    user = sql.Identifier(read_values()("postgresql.postgresqlUsername"))
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} superuser login password {}").format(user, sql.Literal(PASSWORD)))
        for url in _database(cluster, template="template1"):
            with psycopg.connect(url) as inner:
                info = inner.info
                yield info.dbname, info
        connection.execute(sql.SQL("drop role {}").format(user))


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory,
    history: tuple[str, psycopg.conninfo.ConnectionInfo],
    pipeline_database: str,
) -> Iterator[Deployed]:
    """The instance of the values, where hosts, ports and folders are this machine's."""
    folder = tmp_path_factory.mktemp("kubernetes")
    home, settings, dagster_home = folder / "home", folder / "settings", folder / "instance"
    for each in (home, settings, dagster_home):
        each.mkdir()
    text = (FOLDER / "gpu" / "two_tower.toml").read_text(encoding="utf-8")
    (settings / "two_tower.toml").write_text(text + SETTINGS, encoding="utf-8")
    secrets = {
        "two-tower": {
            "TWO_TOWER_DATABASE_URL": pipeline_database,
            "TWO_TOWER_SOURCE": "sample",
            "SUPABASE_SERVICE_ROLE_KEY": KEY,
        },
        "two-tower-postgres": {"postgresql-password": PASSWORD},
    }
    stand_in = Cluster(folder, {"two-tower-home": home, "two-tower-settings": settings}, secrets)
    with listening(stand_in) as kubeconfig, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_PG_PASSWORD", PASSWORD)
        name, info = history
        own = {
            "postgresql": {
                "postgresqlHost": "127.0.0.1",
                "postgresqlDatabase": name,
                "service": {"port": info.port},
            },
            "runLauncher": {"config": {"k8sRunLauncher": {"kubeconfigFile": str(kubeconfig)}}},
        }
        configuration = instance_configuration(read_values(own))
        for section in ("compute_logs", "local_artifact_storage"):
            placed = json.dumps(configuration[section]).replace("/var/lib/two-tower", str(home))
            configuration[section] = json.loads(placed)
        (dagster_home / "dagster.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
            yield Deployed(instance, stand_in, home, dagster_home)
