"""Every table and view × every caller × every verb: what happens to the rows of A, of B, and of everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from two_tower_assets_tests.database.access.people import (
    ANON,
    CALLERS,
    A,
    B,
    Caller,
    attempt,
    expected,
    rows_of,
    visible,
)
from two_tower_assets_tests.database.access.relations import RELATIONS, VERBS, Access, Relation, Verb
from two_tower_assets_tests.database.rows import Connection, column, value
from two_tower_assets_tests.seen import CELL

OTHER_PRIVILEGES = ("references", "trigger", "maintain")


def access(relation: Relation, caller: Caller) -> Access:
    return {"authenticated": relation.authenticated, "service_role": relation.service_role}.get(caller.role, {})


def test_every_relation_is_declared(connection: Connection) -> None:
    """A table, view, foreign table or materialised view that nobody declared fails here."""
    found = column(
        connection,
        """select n.nspname || '.' || c.relname
           from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
           where n.nspname in ('public', 'two_tower') and c.relkind in ('r', 'p', 'v', 'm', 'f')""",
    )
    assert set(found) == set(RELATIONS)


def test_every_relation_has_rows_to_try_with(connection: Connection) -> None:
    """A refusal means something only where there was something to get: rows of both, where rows are people's."""
    for name, relation in RELATIONS.items():
        whose = {owner for owner, _ in rows_of(connection, name, relation)}
        assert whose >= ({"A", "B"} if relation.people else {"live"} if relation.columns else {"row"}), name


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("caller", CALLERS, ids=str)
@pytest.mark.parametrize("name", RELATIONS)
def test_cell(
    connection: Connection, name: str, caller: Caller, verb: Verb, record_property: Callable[[str, str], None]
) -> None:
    """A caller's verb reaches exactly the declared rows, or is refused."""
    record_property(CELL, "role matrix, caller x table or view x verb")
    relation = RELATIONS[name]
    scope = access(relation, caller).get(verb)
    if verb == "select":
        seen = visible(connection, caller, name, relation)
        assert seen == (None if scope is None else expected(connection, caller, name, relation, scope))
    elif verb == "insert":
        for whose, key in {A: "A", B: "B"}.items():
            made = attempt(connection, caller, name, relation, verb, whose=whose)
            if scope is None or (scope == "own" and key != caller.key):
                assert made is None
            else:
                assert made is not None
                assert [owner for owner, _ in made] == [key if relation.people else "row"]
    else:
        touched = attempt(connection, caller, name, relation, verb)
        rows = rows_of(connection, name, relation)
        reached = Counter({row: count for row, count in rows.items() if scope == "all" or row[0] == caller.key})
        assert touched == (None if scope is None else reached)


@pytest.mark.parametrize("caller", CALLERS, ids=str)
@pytest.mark.parametrize("name", RELATIONS)
def test_no_other_privilege_is_held(connection: Connection, name: str, caller: Caller) -> None:
    """Not on a single column, nor by way of `public`, is there more than what the cells show."""
    relation = RELATIONS[name]
    declared = {verb for verb in VERBS if verb in access(relation, caller)}
    held = {verb for verb in (*VERBS, *OTHER_PRIVILEGES) if _holds(connection, caller.role, name, verb)}
    assert held == declared
    if relation.columns is not None and caller.role == "authenticated":
        readable = column(
            connection,
            """select a.attname::text from pg_attribute as a
               where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped
                 and has_column_privilege('authenticated', a.attrelid, a.attnum, 'select')""",
            name,
        )
        assert set(readable) == set(relation.columns)


def test_nobody_counts_with_our_sequences(connection: Connection) -> None:
    """Sequences belong to their tables: no client role reads, advances or sets one."""
    held = column(
        connection,
        """select s.oid::regclass || ' ' || r.role || ' ' || p.privilege
           from pg_class as s
           cross join unnest(array['anon', 'authenticated', 'service_role']) as r (role)
           cross join unnest(array['usage', 'select', 'update']) as p (privilege)
           where s.relkind = 'S' and s.relnamespace in ('public'::regnamespace, 'two_tower'::regnamespace)
             and has_sequence_privilege(r.role, s.oid, p.privilege)""",
    )
    assert held == []


def test_tables_of_people_have_row_level_security(connection: Connection) -> None:
    """Tables in `public` and partitions of user vectors have it; views let the caller's through."""
    bare = column(
        connection,
        """select c.oid::regclass::text from pg_class as c
           where c.relkind in ('r', 'p') and not c.relrowsecurity
             and (c.relnamespace = 'public'::regnamespace or c.relname like 'user\\_embeddings\\_%')""",
    )
    assert bare == []
    assert not column(
        connection,
        """select c.oid::regclass from pg_class as c
           where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
             and not coalesce(c.reloptions::text[] @> array['security_invoker=true'], false)""",
    )


def test_a_user_without_an_id_sees_nobody(connection: Connection) -> None:
    """A signed-in token that names no user reads no person's row, and none is made by it."""
    nameless = Caller("authenticated")
    for name, relation in RELATIONS.items():
        if relation.people and relation.authenticated:
            assert visible(connection, nameless, name, relation) == Counter()
            assert attempt(connection, nameless, name, relation, "insert") is None


def test_refusal_does_not_tell_whether_a_row_exists(connection: Connection) -> None:
    """A row in B's name is refused to A in the same words whether B has such a row or not."""
    relation = RELATIONS["public.user_video_decisions"]
    assert attempt(connection, CALLERS[1], "public.user_video_decisions", relation, "insert", whose=B) is None
    taken = relation.insert.replace("000000000063", "000000000001")
    changed = Relation(relation.authenticated, relation.service_role, taken, relation.change, people=True)
    assert attempt(connection, CALLERS[1], "public.user_video_decisions", changed, "insert", whose=B) is None


@pytest.mark.parametrize("name", ["public.user_video_decisions", "public.profiles"])
def test_own_row_cannot_be_handed_over(connection: Connection, name: str) -> None:
    """A's row cannot be made another's by an update."""
    relation = RELATIONS[name]
    stolen = Relation(
        relation.authenticated,
        relation.service_role,
        relation.insert,
        "user_id = '00000000-0000-4000-8000-00000000ffff'",
        people=True,
    )
    assert attempt(connection, CALLERS[1], name, stolen, "update") is None


def test_schema_of_the_owner_is_closed_to_anon(connection: Connection) -> None:
    """No name in `two_tower` resolves for a caller without a user, and no role makes anything anywhere."""
    assert not value(connection, "select has_schema_privilege('anon', 'two_tower', 'usage')")
    for caller in {caller.role for caller in CALLERS}:
        for schema in ("public", "two_tower", "extensions"):
            assert not value(connection, "select has_schema_privilege(%s, %s, 'create')", caller, schema)
    assert access(RELATIONS["public.videos"], ANON) == {}


def _holds(connection: Connection, role: str, name: str, privilege: str) -> bool:
    """Whether a role has a privilege on a relation, or on any of its columns."""
    asked = ["has_table_privilege"]
    if privilege in {"select", "insert", "update", "references"}:
        asked.append("has_any_column_privilege")
    return any(value(connection, f"select {function}(%s, %s, %s)", role, name, privilege) for function in asked)
