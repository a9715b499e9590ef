"""Where a site's databases and its Dagster instance are, without starting or making any of them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from two_tower_assets.database.connection import connect
from two_tower_assets.defs.doctor.instance import Instance
from two_tower_assets.defs.site import Site
from two_tower_assets.doctor.database import Database
from two_tower_assets.environment import Environment
from two_tower_assets.home import Home


def pipeline_database(site: Site) -> Database | None:
    """Return the pipeline's Postgres; None: it is the embedded one, and that does not run or lacks the database."""
    if site.environment.database_url is not None:
        return Database(site.environment.database_url, own=False)
    url = _embedded(site.home, site.origin.dataset)
    return None if url is None else Database(url, own=True)


def serving_database(site: Site) -> Database | None:
    """Return the serving database; None as for `pipeline_database`."""
    url = site.environment.serving_url
    return pipeline_database(site) if url is None else Database(url, own=False)


def dagster_instance(environment: Environment) -> Instance:
    """Return the instance that Dagster's own commands would use."""
    from two_tower_assets.local.instance import DATABASE, for_dagster

    given = environment.dagster_url
    url = given or _embedded(environment.home, DATABASE)
    named = os.environ.get("DAGSTER_HOME")
    folder = Path(named) if named else environment.home.dagster
    return Instance(folder, None if url is None else for_dagster(url), own=given is None)


def _embedded(home: Home, database: str) -> str | None:
    if find_spec("psutil") is None:
        return None
    from two_tower_assets.local.postgres import EmbeddedPostgres

    postgres = EmbeddedPostgres(home.postgres)
    if not postgres.is_running():
        return None
    with connect(postgres.url(), autocommit=True) as connection:
        found = connection.execute("select 1 from pg_catalog.pg_database where datname = %s", [database]).fetchone()
    return postgres.url(database) if found else None
