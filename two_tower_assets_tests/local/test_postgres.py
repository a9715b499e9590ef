"""The embedded Postgres: a real cluster, started, killed, copied and refused."""

import psycopg


def test_fresh_database_has_pgvector(empty_database: str) -> None:
    """A fresh database can create the vector extension."""
    with psycopg.connect(empty_database) as connection:
        connection.execute("create extension vector")
        assert connection.execute("select '[1,2]'::vector <=> '[1,2]'").fetchone() == (0.0,)
