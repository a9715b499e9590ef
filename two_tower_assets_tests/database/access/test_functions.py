"""Every function × every caller: called, not only looked up; and what A gets when A asks about B."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from two_tower_assets_tests.database.access.functions import FUNCTIONS
from two_tower_assets_tests.database.access.people import CALLERS, VECTOR, A, B, Caller
from two_tower_assets_tests.database.rows import Connection, acting_as, column, user_id, value, video_id
from two_tower_assets_tests.seen import CELL


def test_every_function_is_declared(connection: Connection) -> None:
    """A function, procedure or aggregate that nobody declared fails here."""
    connection.execute("set search_path = ''")
    found = column(
        connection,
        """select p.oid::regprocedure::text
           from pg_proc as p
           where p.pronamespace::regnamespace::text in ('public', 'two_tower')
             and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')""",
    )
    connection.execute("reset search_path")
    assert set(found) == set(FUNCTIONS)


@pytest.mark.parametrize("caller", CALLERS, ids=str)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_cell(
    connection: Connection, function: str, caller: Caller, record_property: Callable[[str, str], None]
) -> None:
    """The function begins to run for exactly the declared roles."""
    record_property(CELL, "role matrix, caller x function")
    assert _runs(connection, function, caller) == (caller.role in FUNCTIONS[function])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_public_holds_no_grant(connection: Connection, function: str) -> None:
    """A role that is made later may call nothing."""
    assert not value(connection, "select has_function_privilege('public', %s, 'execute')", function)


def test_no_function_lends_its_owners_rights(connection: Connection) -> None:
    """All run as their caller, and no name in them is found by the caller's search path."""
    rows = connection.execute(
        """select p.oid::regprocedure::text, p.prosecdef, p.proconfig::text, p.prosqlbody is not null
           from pg_proc as p
           where p.pronamespace::regnamespace::text in ('public', 'two_tower')
             and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')"""
    ).fetchall()
    assert len(rows) == len(FUNCTIONS)
    for name, definer, config, parsed in rows:
        assert not definer, name
        assert parsed or "search_path=" in (config or ""), name


def test_a_user_learns_nothing_of_another_by_any_function(connection: Connection) -> None:
    """Asked for B, the user RPC refuses A; the parts that it is made of see no row of B's."""
    with acting_as(connection, "authenticated", A), pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select public.get_user_embedding_features(%s)", (user_id(B),))
    with acting_as(connection, "authenticated", A):
        payload = _payload(connection, B)
        assert payload["decision_stats"]["decision_count"] == 0
        assert payload["profile"]["created_at"] is None
        assert payload["liked_video_ids"] == []
        assert _payload(connection, A)["liked_video_ids"] == [video_id(1)]
        popular = [
            column(connection, "select video_id::text from public.popular_videos(p_user_id => %s)", user_id(user))
            for user in (B, 3)
        ]
        assert popular[0] == popular[1]


def test_a_user_gets_the_own_payload_and_the_search(connection: Connection) -> None:
    """What signed-in users may call does its work for them."""
    with acting_as(connection, "authenticated", B):
        payload = value(connection, "select public.get_user_embedding_features(%s)", user_id(B))
        assert payload["user_id"] == user_id(B)
        assert payload["decision_stats"]["like_count"] == 1
        assert payload["tags"] == ["tag"]
        found = column(
            connection, "select video_id::text from public.recommend_videos_ann(%s::extensions.vector)", VECTOR
        )
        assert found == [video_id(1)]


def _payload(connection: Connection, user: int) -> dict[str, Any]:
    statement = "select payload from two_tower.user_payloads(array[%s]::uuid[], now())"
    found: dict[str, Any] = value(connection, statement, user_id(user))
    return found


def _runs(connection: Connection, function: str, caller: Caller) -> bool:
    """Call it with nulls; whatever else it says of them, it was called."""
    name, types = function.removesuffix(")").split("(", 1)
    kinds = [kind for kind in types.split(",") if kind]
    values = ", ".join(f"null::{kind}" for kind in kinds)
    names = [f"a{number}" for number in range(len(kinds))]
    # Kept from being folded into constants, with which a strict function would not be called at all.
    source = f" from (select {values} offset 0) as given ({', '.join(names)})" if kinds else ""
    own_name = name.split(".")[1]
    with acting_as(connection, caller.role, caller.user):
        try:
            connection.execute(f"select {name}({', '.join(names)}){source}")
        except psycopg.errors.InsufficientPrivilege as error:
            message = error.diag.message_primary or ""
            return message not in {
                f"permission denied for function {own_name}",
                "permission denied for schema two_tower",
            }
        except psycopg.Error:
            return True
        return True
