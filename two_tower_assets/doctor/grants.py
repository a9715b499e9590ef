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
_MIGRATE: Final = "two-tower migrate"

_Object = tuple[str, str]


def look_at_grants(database: Database) -> Iterator[Finding]:
    """Compare both ways; what else a table's owner granted before the first migration is the owner's affair."""
    with connect(database.url, autocommit=True) as connection, database_errors("The grants could not be read"):
        found = granted(connection)
        there = {_object(grant) for grant in found}
        migrated = ("table", "two_tower.adopted_tables") in there
        adopted = {f"public.{row[0]}" for row in connection.execute(_ADOPTED)} if migrated else set()
    findings: list[Finding] = []
    if gone := {_object(grant) for grant in declared() if grant.kind != "column"} - there:
        said = f"{len(gone)} tables and functions are missing"
        findings.append(problem(said, where=database.where, remedy=_MIGRATE))
    if migrated:
        findings += _differences(database, found, there, adopted)
    yield from findings or [ok("the grants are as the migrations declare them", where=database.where)]


def _differences(
    database: Database, found: frozenset[Grant], there: set[_Object], adopted: set[str]
) -> Iterator[Finding]:
    wanted = {grant for grant in declared() if grant.kind == "column" or _object(grant) in there}
    known = {_object(grant) for grant in wanted}
    for grant in sorted(grant for grant in wanted - found if grant.role):
        said = f"{grant.role} may not {grant.privilege} {grant.name}"
        yield _difference(database, said, f"grant {_clause(grant)} to {grant.role}")
    for grant in sorted(grant for grant in found - wanted if grant.role and _object(grant) in known):
        if _table(grant) not in adopted:
            said = f"{grant.role} may {grant.privilege} {grant.name}, which no migration grants"
            yield _difference(database, said, f"revoke {_clause(grant)} from {grant.role}, public")


def _object(grant: Grant) -> _Object:
    return grant.kind, grant.name


def _table(grant: Grant) -> str:
    return grant.name.rpartition(".")[0] if grant.kind == "column" else grant.name


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
