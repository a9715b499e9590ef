"""Databases in which A and B have rows: one as a plain Postgres makes it, one under Supabase's default privileges."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.database.access.people import seed
from two_tower_assets_tests.database.rows import Connection

GENEROUS = """
create schema if not exists two_tower;
do $$
declare
  v_schema text;
  v_kind text;
begin
  foreach v_schema in array array['public', 'two_tower'] loop
    foreach v_kind in array array['tables', 'functions', 'sequences'] loop
      execute format(
        'alter default privileges in schema %I grant all on %s to anon, authenticated, service_role', v_schema, v_kind
      );
    end loop;
  end loop;
end
$$;
"""


@pytest.fixture(scope="module", params=["plain", "generous"])
def connection(
    request: pytest.FixtureRequest, cluster: EmbeddedPostgres, migrated_template: str
) -> Iterator[Connection]:
    """As the owner. `generous`: whatever is made is open to every role unless a migration closes it."""
    name = f"access_{request.param}"
    with psycopg.connect(cluster.url(), autocommit=True) as admin:
        template = migrated_template if request.param == "plain" else "template1"
        admin.execute(f"create database {name} template {template}")
    if request.param == "generous":
        with connect(cluster.url(name), autocommit=True) as opened:
            # The roles are the cluster's; the template's migrations have made them.
            opened.execute(GENEROUS)
        migrate(cluster.ensure_database(name))
    with connect(cluster.url(name), autocommit=True) as opened:
        seed(opened)
        yield opened
    with psycopg.connect(cluster.url(), autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")
