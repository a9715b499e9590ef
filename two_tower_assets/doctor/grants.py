"""May clients do in a database what the migrations let them do, and no more?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from psycopg import sql

from two_tower_assets.database.connection import connect
from two_tower_assets.database.grants import Grant, declared, granted
from two_tower_assets.doctor.database import Database
from two_tower_assets.doctor.finding import Finding, ok, problem
from two_tower_assets.sources.requirements import database_errors

_ADOPTED: Final = "select name from two_tower.adopted_tables"


def look_at_grants(database: Database) -> Iterator[Finding]:
    """Compare both ways; what else a table's owner granted before the first migration is the owner's affair."""
    with connect(database.url, autocommit=True) as connection, database_errors("The grants could not be read"):
        found = granted(connection)
        there = {(grant.kind, grant.name) for grant in found}
        wanted = frozenset(grant for grant in declared() if grant.kind == "column" or _object(grant) in there)
        if gone := {_object(grant) for grant in declared() if grant.kind != "column"} - there:
            yield problem(f"{len(gone)} tables and functions are missing", where=database.where, remedy=_MIGRATE)
        if ("table", "two_tower.adopted_tables") not in there:
            return
        adopted = {f"public.{row[0]}" for row in connection.execute(_ADOPTED).fetchall()}
    known = {_object(grant) for grant in wanted}
    missing = sorted(grant for grant in wanted - found if grant.role)
    surplus = sorted(g for g in found - wanted if g.role and _object(g) in known and _table(g) not in adopted)
    for grant in missing:
        yield _difference(database, f"{grant.role} may not {_said(grant)}", f"grant {_clause(grant)} to {grant.role}")
    for grant in surplus:
        said = f"{grant.role} may {_said(grant)}, which no migration grants"
        yield _difference(database, said, f"revoke {_clause(grant)} from {grant.role}, public")
    if not (missing or surplus or gone):
        yield ok(
            f"{sum(grant.role is not None for grant in wanted)} grants are as the migrations declare them",
            where=database.where,
        )


_MIGRATE: Final = "two-tower migrate"


def _object(grant: Grant) -> tuple[str, str]:
    return grant.kind, grant.name


def _table(grant: Grant) -> str:
    return grant.name.rpartition(".")[0] if grant.kind == "column" else grant.name


def _said(grant: Grant) -> str:
    return f"{grant.privilege} {grant.name}"


def _clause(grant: Grant) -> str:
    """Return the part of a grant that it shares with the revoke."""
    if grant.kind == "column":
        table, _, column = grant.name.rpartition(".")
        return f"{grant.privilege} ({column}) on {table}"
    kind = "function " if grant.kind == "function" else ""
    return f"{grant.privilege} on {kind}{grant.name}"


def _difference(database: Database, what: str, statement: str) -> Finding:
    fix = _running(database, statement) if database.own else None
    return problem(what, where=database.where, remedy=f"{statement};", fix=fix)


def _running(database: Database, statement: str) -> Callable[[], str]:
    def run() -> str:
        with connect(database.url) as connection:
            # The type vector is named without its schema.
            connection.execute("set local search_path = extensions, public")
            connection.execute(sql.SQL(statement))
        return statement

    return run
